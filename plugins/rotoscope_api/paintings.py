"""Paintings: what callers ask to have painted, checked against the video, the catalogue and their plan."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, create_model

from rotoscope import presets
from rotoscope.errors import Refused
from rotoscope.fields import Find
from rotoscope.filters.catalogue import Filter, catalogue
from rotoscope.media.video import Video
from rotoscope.plan import output_of
from rotoscope.request import DEFAULT_FILTER, Request
from rotoscope.store import keys
from rotoscope.store.base import Store
from rotoscope.store.filters import finder, is_name
from rotoscope_api import registrations
from rotoscope_api.caller import SEPARATOR, Caller
from rotoscope_api.manners import Id
from rotoscope_api.problems import Problem
from rotoscope_api.services import threaded

DAG = "rotoscope"
OWN = ("source", "documents")
"""Fields of a request that callers of the API do not write: they name a registered video."""

_FIELDS: dict[str, Any] = {
    name: (field.annotation, field) for name, field in Request.model_fields.items() if name not in OWN
}
Options: Any = create_model(
    "RotoscopeOptions",
    __config__=ConfigDict(extra="forbid"),
    __doc__="How a video is to be painted. Everything has a default.",
    **_FIELDS,
)


class RotoscopeCreate(Options):
    """What shall be painted, and how."""

    video: Id = Field(description="The id of a video that is ready.", examples=["acme.5f1c0f6f0a9e4b1c8d7e6f5a"])
    preset: str | None = Field(
        default=None, max_length=60, description="A preset's name: its options hold where this request says nothing."
    )


@dataclass(frozen=True)
class Asked:
    """A request that can be done. conf: what its run is started with; frames: that are to be painted."""

    request: Request
    video: Video
    conf: dict[str, Any]
    frames: int


async def asked(caller: Caller, store: Store, body: BaseModel) -> Asked:
    """What a caller asks for. Raises Problem or Refused for what cannot be done."""
    written = body.model_dump(exclude_unset=True, exclude={"video", "preset"})
    preset: str | None = getattr(body, "preset", None)
    if preset is not None:
        written = {**presets.get(preset).options, **written}
    sha256, video = await registrations.ready(caller, store, body.video)  # type: ignore[attr-defined]
    conf = {"source": f"video://{sha256}", "filter": DEFAULT_FILTER, **written}
    return await threaded(checked, caller, conf, video, own_finder(caller, store))


def checked(caller: Caller, conf: dict[str, Any], video: Video, find: Find) -> Asked:
    """The request in a conf, for its video. Raises Problem or Refused for what cannot be done."""
    request = Request.parse(conf, find)
    _refuse_paths(request)
    output = output_of(request, video)
    longest, seconds = caller.plan.limit("seconds"), float(registrations.facts_of(video).duration)
    if longest is not None and seconds > longest:
        detail = f"The video has {seconds:.0f} s; the plan {caller.plan.name} allows {longest} s at most."
        raise Problem("beyond-plan", detail)
    return Asked(request, video, conf, len(output.timeline.frames))


def own_finder(caller: Caller, store: Store) -> Find:
    """Finds filters that are there for all, and those that are the caller's own."""
    find = finder(store)

    def found(wanted: str) -> Filter:
        name = wanted.partition("@")[0]
        if name in catalogue():
            return find(wanted)
        if not is_name(name) or (SEPARATOR in name and not caller.sees(name)):
            raise Refused(f"There is no filter {wanted!r}; GET /filters lists those there are.")
        if store.exists(keys.retired(name)):
            raise Refused(f"The filter {wanted} is retired; GET /filters lists those there are.")
        return find(wanted)

    return found


def _refuse_paths(request: Request) -> None:
    """A mask is a box, or at a URL: what lies on the server's disk is nobody's business."""
    if request.mask and not request.mask_box and not request.mask.startswith(("http://", "https://")):
        raise Refused("mask is a box, such as 25,25,50,50, or a picture's or video's http(s) URL.")
