"""Places: where a batch's videos are. A prefix or a pattern becomes the videos that it stands for."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

from wcmatch.glob import GLOBSTAR, glob, globmatch

from rotoscope.errors import Refused
from rotoscope.store.base import Store
from rotoscope.store.fetching import KEY

VIDEOS = (
    *(".3gp", ".avi", ".flv", ".gif", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts"),
    *(".mxf", ".nut", ".ogv", ".ts", ".vob", ".webm", ".wmv"),
)
"""Suffixes of what a prefix stands for."""
PATTERN = re.compile(r"[*?\[]")
List = Callable[[str], Iterable[str]]
"""Gives the URIs of the objects whose URIs begin so."""


def find(place: str, store: Store, listed: List) -> list[str]:
    """The sources of the videos that a place stands for, in order; what is no prefix and no pattern stands for itself.

    place: a key of the store, an absolute path, or a URL; listed: lists a bucket. Raises Refused for what cannot be
    listed.
    """
    scheme, colon, _ = place.partition("://")
    in_store = place.startswith(KEY) or not (colon or place.startswith("/"))
    key = place.removeprefix(KEY)
    if not place.endswith("/") and (not PATTERN.search(place) or _is_there(key, in_store, store)):
        return [KEY + key if in_store else place]
    pattern = key if not key.endswith("/") else key + "**"
    begin = PATTERN.split(pattern)[0]
    if in_store:
        found = [KEY + one for one in store.below(_folder(begin, place)) if _matches(one, pattern)]
    elif not colon:
        found = [str(path) for path in glob(pattern, flags=GLOBSTAR) if Path(path).is_file()]
    elif scheme.lower() in ("s3", "s3a"):
        found = [uri for uri in listed(begin) if _matches(uri.partition("://")[2], pattern.partition("://")[2])]
    else:
        raise Refused(f"{scheme}:// has no list of what is there; name each video of {place}.")
    if place.endswith("/"):  # beside videos lie other things
        found = [one for one in found if PurePosixPath(one).suffix.lower() in VIDEOS]
    return sorted(found)


def _is_there(place: str, in_store: bool, store: Store) -> bool:
    """Whether a file or an object is called so, whatever characters that has."""
    return store.exists(place) if in_store else Path(place).is_file()


def _folder(begin: str, place: str) -> str:
    if "/" not in begin:
        raise Refused(f"{place} would be looked for in all of the store; name a folder, such as inbox/{place}.")
    return begin.rpartition("/")[0]


def _matches(name: str, pattern: str) -> bool:
    return name == pattern or bool(globmatch(name, pattern, flags=GLOBSTAR))
