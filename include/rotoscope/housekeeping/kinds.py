"""Kinds of things in a store, and how their objects belong together: what goes, goes as a whole."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from rotoscope.store.base import Entry, Store


@dataclass(frozen=True)
class Kind:
    """A kind. prefix: where it lives; unit: a pattern of keys there, whose group 1 names what belongs together.

    ends: what is deleted, in this order, as ends of that; first what says that the rest is whole.
    """

    name: str
    prefix: str
    unit: re.Pattern[str]
    ends: tuple[str, ...]


@dataclass(frozen=True)
class Unit:
    """Objects that belong together. key: of the object, or their prefix; changed: the newest of them."""

    kind: str
    key: str
    objects: int
    bytes: int
    changed: datetime


KINDS = tuple(
    Kind(name, prefix, re.compile(pattern), tuple(ends) or ("",))
    for name, prefix, pattern, *ends in (
        ("scratch", "runs", r"(runs/[^/]+)/"),
        ("scratch", "tmp", r"(tmp/[^/]+)/"),
        (
            "uploads",
            "incoming",
            r"(incoming/[^/]+)/(?:content|partial|parts\.json)$",
            "/content",
            "/partial",
            "/parts.json",
        ),
        ("checkpoints", "trainings", r"(trainings/[^/]+/states)/"),
        ("bought", "paid", r"(paid/[^/]+/[^/]+)/"),
        ("deliveries", "deliveries", r"(deliveries/[^/]+/all/[^/]+)$"),
        ("failures", "failures", r"(failures/[^/]+/[^/]+)$"),
        ("painted", "painted", r"(painted/[^/]+/[^/.]+)\.", ".json", ".nut"),
        ("batches", "batches", r"(batches/[^/]+)/"),
        ("frames", "frames", r"(frames/[^/]+)/"),
        ("sheets", "sheets", r"(sheets/[^/]+)/"),
        ("results", "results", r"(results/[^/]+)/", "/provenance.json", ""),
        ("videos", "videos", r"(videos/[^/]+)/", "/manifest.json", ""),
    )
)
"""What names others comes before what it names."""


def units(store: Store, kind: Kind) -> Iterator[Unit]:
    """All of a kind in a store."""
    named = ((found[1], entry) for entry in store.entries(kind.prefix) if (found := kind.unit.match(entry.key)))
    for key, members in groupby(sorted(named, key=lambda one: one[0]), key=lambda one: one[0]):
        yield _together(kind.name, key, (entry for _, entry in members))


def _together(kind: str, key: str, entries: Iterable[Entry]) -> Unit:
    unit: Unit | None = None
    for entry in entries:
        if unit is None:
            unit = Unit(kind, key, 1, entry.bytes, entry.modified)
        else:
            more, last = unit.bytes + entry.bytes, max(unit.changed, entry.modified)
            unit = replace(unit, objects=unit.objects + 1, bytes=more, changed=last)
    assert unit is not None
    return unit
