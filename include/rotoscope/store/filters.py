"""Filters that people made, in the store: versions of a name, none of which ever changes."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from itertools import count
from pathlib import Path, PurePosixPath

from rotoscope.errors import Refused
from rotoscope.fields import DOCUMENTS, Fields, Find
from rotoscope.filters.catalogue import Filter, catalogue
from rotoscope.store import keys
from rotoscope.store.base import Store

NAME = re.compile(r"([a-z0-9-]+\.)?[a-z0-9]+(-[a-z0-9]+)*")
"""Words with hyphens; before them, for a filter of a partner, their tenant and a dot."""
LONGEST = 60


def finder(store: Store) -> Find:
    """Finds built-in filters, and those of a store: by NAME, the newest version, or NAME@VERSION."""
    for_all = cache(lambda: _for_all(store))  # a batch may name many that are not there

    def find(wanted: str) -> Filter:
        name, at, version = wanted.partition("@")
        built_in = catalogue().get(name)
        if built_in and wanted in (built_in.name, built_in.reference):
            return built_in
        versions = _versions(store, name) if is_name(name) else []
        chosen = [one for one in versions if not at or version == str(one)]
        if not chosen:
            there = [built_in.reference] if built_in else [f"{name}@{one}" for one in versions]
            there = there or [*catalogue(), *for_all()]
            raise Refused(f"There is no filter {wanted!r}; choose one of {', '.join(there)}.")
        return Filter.model_validate(store.get_json(keys.filter(name, max(chosen))))

    return find


@contextmanager
def at_hand(request: Fields, store: Store) -> Iterator[Fields]:
    """The request, with the weights of those of its filters that were trained as files, for the length of the block."""
    with ExitStack() as stack:
        paths: dict[str, Path] = {}

        def located(one: Filter) -> Filter:
            if one.weights is None or one.weights.package is not None:
                return one
            file = one.weights.file
            if file not in paths:
                paths[file] = stack.enter_context(store.local(file))
            return one.model_copy(update={"weights": one.weights.model_copy(update={"path": paths[file]})})

        documents = tuple(located(one) for one in getattr(request, DOCUMENTS))
        yield request.model_copy(update={DOCUMENTS: documents})


def keep(store: Store, filter: Filter) -> Filter:
    """Keep a filter under its name, as the next version if that name has other ones; gives it with its version.

    Raises Refused for a name that is built in or retired.
    """
    if filter.name in catalogue():
        raise Refused(f"The filter {filter.name} is built in; choose another name.")
    check_not_retired(store, filter.name)
    for version in count(_deleted(store, filter.name) + 1):
        one = filter.model_copy(update={"version": str(version)})
        document = one.model_dump(mode="json")
        store.put_json(keys.filter(one.name, version), document)
        if Filter.model_validate(store.get_json(keys.filter(one.name, version))).model_dump(mode="json") == document:
            break
    return one


def is_name(name: str) -> bool:
    """Whether a filter can be called so."""
    return len(name) <= LONGEST and NAME.fullmatch(name) is not None


def made(store: Store) -> Iterator[Filter]:
    """Every filter that people made and that is not retired, in its newest version, by name."""
    for name, version in _newest(store).items():
        yield Filter.model_validate(store.get_json(keys.filter(name, version)))


def retire(store: Store, name: str) -> None:
    """Let a filter be chosen no more. What was painted with it still names it."""
    store.put_json(keys.retired(name), {})


def check_not_retired(store: Store, name: str) -> None:
    """Raises Refused for a filter that is to be chosen no more, and so gets no new versions."""
    if store.exists(keys.retired(name)):
        raise Refused(f"The filter {name} is retired; choose another name.")


def delete(store: Store, name: str) -> None:
    """Delete a filter in all its versions, whose numbers a new filter of this name does not get."""
    versions = _versions(store, name)
    store.replace_json(keys.deleted(name), {"last": max(versions, default=_deleted(store, name))})
    for key in (*(keys.filter(name, version) for version in versions), keys.retired(name)):
        store.delete(key)


def _deleted(store: Store, name: str) -> int:
    """The last version that was deleted, 0 if none was."""
    try:
        return int(store.get_json(keys.deleted(name))["last"])
    except KeyError:
        return 0


def _for_all(store: Store) -> list[str]:
    """The names of filters that people made, without those of partners."""
    return [name for name in _newest(store) if "." not in name]


def _newest(store: Store) -> dict[str, int]:
    """The newest version of every filter that people made and that is not retired, by name."""
    newest: dict[str, int] = {}
    retired = set()
    for key in store.below("filters"):
        name, file = PurePosixPath(key).parts[1:3]
        if key == keys.retired(name):
            retired.add(name)
        elif keys.stem(file).isdigit():
            newest[name] = max(newest.get(name, 0), int(keys.stem(file)))
    return {name: newest[name] for name in sorted(set(newest) - retired)}


def _versions(store: Store, name: str) -> list[int]:
    stems = (keys.stem(key) for key in store.below(keys.filters(name)))
    return sorted(int(stem) for stem in stems if stem.isdigit())
