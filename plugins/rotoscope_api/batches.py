"""Batches as callers ask for them: their own videos, checked against their plan, as a manifest for the DAG."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from rotoscope.batch.manifest import MOST_AT_ONCE, Manifest, Ways
from rotoscope.batch.request import BatchRequest
from rotoscope.batch.wanted import wanted
from rotoscope.media.video import Video
from rotoscope.store.base import Store
from rotoscope_api import registrations
from rotoscope_api.caller import Caller
from rotoscope_api.manners import Id
from rotoscope_api.paintings import checked, own_finder
from rotoscope_api.services import threaded

DAG = "rotoscope_batch"
MOST_VIDEOS = 1000
LONGEST_ZONE = 60


class BatchEntry(Ways):
    """Videos, and how they are painted."""

    videos: list[Id] = Field(min_length=1, max_length=MOST_VIDEOS, description="Ids of videos that are ready.")


class BatchCreate(BaseModel):
    """What shall be painted: each video of an entry by every chain, under every preset."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(default="", max_length=200, description="What people call it.")
    at_once: int = Field(default=2, ge=1, le=MOST_AT_ONCE, description="Rotoscopes that are painted side by side.")
    most_frames: int | None = Field(default=None, ge=0, le=10**9, description="Frames that it may paint.")
    most_cost: float | None = Field(default=None, ge=0, le=10**9, description="US dollars that it may cost.")
    entries: list[BatchEntry] = Field(min_length=1, max_length=MOST_VIDEOS, description="What is to be painted.")
    window: str = Field(
        default="",
        max_length=20,
        pattern=r"^$|^\d\d:\d\d-\d\d:\d\d$",
        description="Hours in which rotoscopes may start, as 22:00-06:00; empty for any.",
    )
    zone: str = Field(default="UTC", max_length=LONGEST_ZONE, description="The window's time zone, as Europe/Berlin.")


async def conf_of(caller: Caller, store: Store, body: BatchCreate) -> tuple[dict[str, Any], int]:
    """What the DAG is started with, and the frames of all of it. Raises Problem or Refused for what cannot be done."""
    sources: dict[str, Video] = {}
    names: dict[str, str] = {}
    for video_id in {one for entry in body.entries for one in entry.videos}:
        sha256, video = await registrations.ready(caller, store, video_id)
        names[video_id] = f"video://{sha256}"
        sources[names[video_id]] = video
    entries = [{**one.model_dump(), "videos": [names[video] for video in one.videos]} for one in body.entries]
    jobs = caller.plan.limit("jobs")
    at_once = min(body.at_once, jobs) if jobs else body.at_once
    options = body.model_dump(include={"title", "most_frames", "most_cost"})
    manifest = Manifest.of({**options, "at_once": at_once, "entries": entries})
    frames = await threaded(_frames, caller, store, manifest, sources)
    document = {**manifest.model_dump(), "at_once": min(at_once, len(frames))}
    conf = {"manifest": document, "window": body.window, "zone": body.zone, "plan": caller.plan.id}
    BatchRequest.parse(conf)
    return conf, sum(frames)


def manifest_in(conf: dict[str, Any] | None) -> dict[str, Any]:
    """The manifest that a run was started with, empty where it is text or only named."""
    written = (conf or {}).get("manifest")
    return written if isinstance(written, dict) else {}


def _frames(caller: Caller, store: Store, manifest: Manifest, sources: dict[str, Video]) -> list[int]:
    """Frames of each thing that a manifest asks for. Raises Refused with a sentence for each thing that is wrong."""
    find = own_finder(caller, store)
    found, _ = wanted(manifest, lambda place: [place], find)
    return [checked(caller, {"source": one.place, **one.options}, sources[one.place], find).frames for one in found]
