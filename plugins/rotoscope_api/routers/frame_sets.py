"""Frame sets: the steps on their own. Separate a video into frames, look at them, paint them, assemble them again."""

import asyncio
from fractions import Fraction
from threading import Lock
from typing import Annotated, Any

from cachetools import LRUCache, cached
from fastapi import APIRouter, Body, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field, create_model

from rotoscope.frames import ARCHIVE, SET, FrameSet, FrameSetRequest
from rotoscope.plan import output_of
from rotoscope.steps.frames import frame_set
from rotoscope.store import keys
from rotoscope.store.base import Store
from rotoscope_api import jobs, registrations
from rotoscope_api.airflow import Run
from rotoscope_api.booking import Order, replayed, started
from rotoscope_api.caller import Caller, allowed
from rotoscope_api.links import file_answer, media
from rotoscope_api.manners import Cursor, Id, IdempotencyKey, Limit, Listed, Prefer, fresh_id, page_of
from rotoscope_api.paintings import OWN, own_finder
from rotoscope_api.plugin import PREFIX
from rotoscope_api.problems import GONE, Problem, documented
from rotoscope_api.services import threaded
from rotoscope_api.store import StoreDep

router = APIRouter(prefix="/frame-sets", tags=["Frames"])
Reader = Annotated[Caller, allowed("frames:read")]
Writer = Annotated[Caller, allowed("frames:write")]
DAG = "frame_set"
REMEMBERED, REMEMBERED_FRAMES = 10_000, 100_000
"""Sets whose size is kept once it was read; frames of the sets that were last looked into, all together."""
PictureName = Annotated[str, Path(pattern=r"^\d{8}\.(png|jpg)$", examples=["00000012.png"])]

_FIELDS: dict[str, Any] = {
    name: (field.annotation, field)
    for name, field in FrameSetRequest.model_fields.items()
    if name not in (*OWN, "frames")
}
FrameOptions: Any = create_model(
    "FrameOptions", __config__=ConfigDict(extra="forbid"), __doc__="Which frames, as what.", **_FIELDS
)


class FrameSetCreate(FrameOptions):
    """Of which video the frames are to be taken, or of which set: one of both."""

    video: Id | None = Field(default=None, description="The id of a video that is ready: it is separated into frames.")
    frame_set: Id | None = Field(default=None, description="The id of a set, whose frames are taken.")


class FrameSetResource(jobs.Job):
    """A set of frames as pictures, as it is now."""

    options: dict[str, Any] = Field(description="What was asked for; the rest has its defaults.")
    count: int | None = Field(default=None, description="Frames in it, once it is there.")
    width: int | None = Field(default=None, description="Pixels of its pictures.")
    height: int | None = None


class FrameResource(BaseModel):
    """A frame of a set."""

    name: str = Field(description="Of its picture.")
    index: int = Field(description="Of the frame in its video, from 0.")
    at: float = Field(description="When it is shown, in seconds from the set's beginning.")


EXAMPLES: dict[str, Any] = {
    "separate": {
        "summary": "Every tenth frame of a video",
        "value": {"video": "acme.5f1c0f6f0a9e4b1c8d7e6f5a", "every": 10, "picture": "jpeg"},
    },
    "paint": {
        "summary": "Paint a set",
        "value": {"frame_set": "acme.0980c36b87a94600ac652260", "filter": "sea-mist"},
    },
}


@router.post(
    "",
    status_code=202,
    summary="Create Frame Set",
    responses={
        201: {"model": FrameSetResource, "description": "It is there already."},
        **documented("not-found", "conflict", "plan-used-up"),
    },
)
async def create_frame_set(
    request: Request,
    response: Response,
    caller: Writer,
    store: StoreDep,
    body: Annotated[FrameSetCreate, Body(openapi_examples=EXAMPLES)],
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
) -> FrameSetResource:
    """Separate a video into frames, a part of it, all or every n-th; or take those of a set. `filter` paints them,
    `archive` adds a zip.

    A set becomes a video again by `POST /videos` with `frame_set`.
    """
    if (body.video is None) == (body.frame_set is None):
        raise Problem("invalid", "Give either video or frame_set.")
    set_id = await fresh_id(request, caller, idempotency_key)
    run = await replayed(request, caller, DAG, set_id)
    if run is None:
        conf, frames = await _wanted(caller, store, body)
        run = await started(caller, store, Order(DAG, set_id, conf, frames if conf.get("filter") else 0))
    run = await jobs.awaited(response, caller, run, f"{PREFIX}/frame-sets/{set_id}", prefer)
    return await _resource(store, run)


@router.get("", summary="List Frame Sets")
async def list_frame_sets(
    caller: Reader, store: StoreDep, limit: Limit = 20, cursor: Cursor = None
) -> Listed[FrameSetResource]:
    """Sets of frames, the newest first."""
    page = await caller.airflow.page(DAG, caller.runs, cursor, limit)
    sizes = await threaded(_sizes, store, page.runs)
    facts = await asyncio.gather(*(jobs.facts(store, DAG, run) for run in page.runs))
    items = [_described(one, run, sizes) for one, run in zip(facts, page.runs, strict=True)]
    return Listed(items=items, next_cursor=page.next)


@router.get("/{set_id}", summary="Get Frame Set", responses=documented("not-found"))
async def get_frame_set(caller: Reader, store: StoreDep, set_id: Id) -> FrameSetResource:
    """A set as it is now."""
    return await _resource(store, await caller.run(DAG, set_id))


@router.delete("/{set_id}", status_code=204, summary="Delete Frame Set", responses=documented("not-found", "conflict"))
async def delete_frame_set(caller: Writer, store: StoreDep, set_id: Id) -> None:
    """Delete a set and its pictures."""
    await caller.run(DAG, set_id)
    await caller.airflow.delete(DAG, set_id)
    await threaded(store.delete, keys.frame_set(set_id))


@router.get("/{set_id}/frames", summary="List Frames", responses=documented("not-found", "conflict"))
async def list_frames(
    caller: Reader, store: StoreDep, set_id: Id, limit: Limit = 20, cursor: Cursor = None
) -> Listed[FrameResource]:
    """The frames of a set, in their order."""
    found = await whole(caller, store, set_id)
    tick = Fraction(found.tick)
    page = page_of(found.frames, limit, cursor)
    items = [FrameResource(name=one.name, index=one.index, at=round(float(one.pts * tick), 6)) for one in page.items]
    return Listed(items=items, next_cursor=page.next_cursor)


@router.get(
    "/{set_id}/frames/{name}",
    summary="Get Frame",
    response_class=Response,
    responses=media("image/png image/jpeg", "The picture.", linked=True),
)
async def get_frame(caller: Reader, store: StoreDep, set_id: Id, name: PictureName) -> Response:
    """A frame as a picture."""
    await whole(caller, store, set_id)
    return await file_answer(store, keys.frame_set(set_id, name))


@router.get(
    "/{set_id}/archive",
    summary="Get Frame Archive",
    response_class=Response,
    responses=media("application/zip", "All pictures in one zip file.", linked=True),
)
async def get_frame_archive(caller: Reader, store: StoreDep, set_id: Id) -> Response:
    """All frames of a set in one file, if `archive` was asked for."""
    await whole(caller, store, set_id)
    return await file_answer(store, keys.frame_set(set_id, ARCHIVE), "frames.zip")


async def _wanted(caller: Caller, store: Store, body: FrameSetCreate) -> tuple[dict[str, Any], int]:
    """What the DAG is started with, and the number of frames. Raises Problem or Refused for what cannot be done."""
    conf, find = body.model_dump(exclude_unset=True, exclude={"video", "frame_set"}), own_finder(caller, store)
    if body.video is None:
        before = await whole(caller, store, str(body.frame_set))
        conf["frames"] = body.frame_set
        await threaded(FrameSetRequest.parse, conf, find)
        return conf, len(before.frames)
    sha256, video = await registrations.ready(caller, store, body.video)
    conf["source"] = f"video://{sha256}"
    wanted = await threaded(FrameSetRequest.parse, conf, find)
    return conf, len(output_of(wanted.taking, video).timeline.shown[:: wanted.every])


async def whole(caller: Caller, store: Store, set_id: str) -> FrameSet:
    """A set that is there. Raises Problem for any other."""
    run = await caller.run(DAG, set_id)
    if run.state != "success":
        raise Problem("conflict", f"The set is not there: its making is {jobs.STATES.get(run.state, 'queued')}.")
    try:
        return await threaded(_set, store, set_id)
    except KeyError:
        raise Problem("not-found", GONE) from None


async def _resource(store: Store, run: Run) -> FrameSetResource:
    return _described(await jobs.facts(store, DAG, run), run, await threaded(_sizes, store, [run]))


def _described(facts: dict[str, Any], run: Run, sizes: dict[str, dict[str, int]]) -> FrameSetResource:
    options = {name: value for name, value in (run.conf or {}).items() if name != "source"}
    made = FrameSetResource(**facts, options=options)
    if run.state != "success":
        return made
    if run.id not in sizes:
        return made.model_copy(update={"state": "failed", "failure": GONE})
    return made.model_copy(update=sizes[run.id])


def _sizes(store: Store, runs: list[Run]) -> dict[str, dict[str, int]]:
    """The sizes of those sets of the runs that are there, by their ids."""
    made = [run.id for run in runs if run.state == "success"]
    return {one: _size(store, one) for one in made if store.exists(keys.frame_set(one, SET))}


@cached(LRUCache(REMEMBERED), lambda store, set_id: set_id, Lock())
def _size(store: Store, set_id: str) -> dict[str, int]:
    found = frame_set(store, set_id)
    width, height = found.size
    return {"count": len(found.frames), "width": width, "height": height}


def _set(store: Store, set_id: str) -> FrameSet:
    """A set. Raises KeyError if it is gone."""
    if not store.exists(keys.frame_set(set_id, SET)):
        raise KeyError(set_id)
    return _read(store, set_id)


@cached(LRUCache(REMEMBERED_FRAMES, getsizeof=lambda found: len(found.frames)), lambda store, set_id: set_id, Lock())
def _read(store: Store, set_id: str) -> FrameSet:
    return frame_set(store, set_id)
