"""Places: where a batch's videos are. A prefix or a pattern becomes the videos that it stands for."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

from wcmatch.glob import GLOBSTAR, glob, globmatch

from rotoscope.errors import Refused
from rotoscope.store.base import Store
from rotoscope.store.fetching import KEY

VIDEOS = frozenset(
    (".3gp", ".avi", ".flv", ".gif", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg")
    + (".mts", ".mxf", ".nut", ".ogv", ".ts", ".vob", ".webm", ".wmv")
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
    if not place.endswith("/") and not PATTERN.search(place):
        return [place if colon or place.startswith("/") else KEY + place]
    if colon and scheme.lower() not in ("s3", "s3a"):
        raise Refused(f"{scheme}:// has no list of what is there; name each video of {place}.")
    pattern = place if not place.endswith("/") else place + "**"
    begin = PATTERN.split(pattern)[0]
    if colon:
        found = [uri for uri in listed(begin) if _matches(uri.partition("://")[2], pattern.partition("://")[2])]
    elif place.startswith("/"):
        found = [str(path) for path in glob(pattern, flags=GLOBSTAR) if Path(path).is_file()]
    elif "/" not in begin:
        raise Refused(f"{place} would be looked for in all of the store; name a folder, such as inbox/{place}.")
    else:
        found = [KEY + key for key in store.below(begin.rpartition("/")[0]) if _matches(key, pattern)]
    if place.endswith("/"):  # beside videos lie other things
        found = [one for one in found if PurePosixPath(one).suffix.lower() in VIDEOS]
    return sorted(found)


def _matches(name: str, pattern: str) -> bool:
    return bool(globmatch(name, pattern, flags=GLOBSTAR))
