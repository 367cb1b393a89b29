"""Wanted: every rotoscope that a manifest asks for, each a video and the fields of a request."""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict

from rotoscope import presets
from rotoscope.batch.manifest import Entry, Manifest
from rotoscope.errors import Refused
from rotoscope.fields import DOCUMENTS, Find
from rotoscope.filters import catalogue
from rotoscope.request import DEFAULT_FILTER, Request

MOST = 1000
"""Rotoscopes of one batch: it maps a task over them, and Airflow has a limit for that."""
OWN = frozenset(("source", DOCUMENTS))
"""Fields of a request that only the entry decides."""
ANY_VIDEO = "video://" + 64 * "0"
"""Stands for a video where a request is checked without one."""


class Wanted(BaseModel):
    """A rotoscope that shall be there in the end. place: of its video; way: how it is painted, for people.

    options: the fields of its request, but for the video.
    """

    model_config = ConfigDict(frozen=True)

    place: str
    way: str
    options: dict[str, Any]
    must: bool


def wanted(
    manifest: Manifest, find_videos: Callable[[str], list[str]], find_filter: Find = catalogue.get
) -> tuple[list[Wanted], list[str]]:
    """What a manifest asks for, in its order, and a notice for each place that stands for no video.

    find_videos: gives the videos that a place stands for. Raises Refused with a sentence for each thing that is wrong.
    """
    wrong: list[str] = []
    found: list[Wanted] = []
    notices: list[str] = []
    for number, entry in enumerate(manifest.entries):
        try:
            ways = _ways(entry, find_filter)
            videos = {place: find_videos(place) for place in entry.videos}
        except Refused as refusal:
            wrong.append(f"entries.{number}: {refusal}")
            continue
        notices += [f"{place} stands for no video now." for place, those in videos.items() if not those]
        for place in dict.fromkeys(one for those in videos.values() for one in those):
            found += [Wanted(place=place, way=way, options=options, must=entry.must) for way, options in ways]
    if len(found) > MOST:
        wrong.append(f"These are {len(found)} rotoscopes; a batch has {MOST} at most, so make several of it.")
    if wrong:
        raise Refused(" ".join(wrong))
    return found, notices


def _ways(entry: Entry, find_filter: Find) -> list[tuple[str, dict[str, Any]]]:
    """Each way in which an entry's videos are painted: for people, and as the fields of its requests."""
    ways = []
    for chain in entry.chains:
        for preset in entry.presets or [""]:
            least = presets.get(preset).options if preset else {}
            chosen = {"filter": chain} if isinstance(chain, str) else chain
            options = {"filter": DEFAULT_FILTER, **least, **entry.options, **chosen}
            for name in OWN.intersection(options):
                raise Refused(f"Options do not say their {name}; the entry's videos and filters do.")
            Request.parse({"source": ANY_VIDEO, **options}, find_filter)
            filters = [str(options["filter"]), *map(str, options.get("then", []))]
            ways.append((" + ".join(filters) + (f", {preset}" if preset else ""), options))
    return ways
