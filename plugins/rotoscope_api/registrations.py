"""Registrations: videos on their way into the store, and what they are once they are there."""

from datetime import UTC, datetime
from threading import Lock
from typing import Any, Literal

from cachetools import LRUCache, cached
from pydantic import BaseModel, Field

from rotoscope.media.video import Video
from rotoscope.steps.register import ABOUT, INCOMING
from rotoscope.store import keys, uploads
from rotoscope.store.base import Store
from rotoscope.store.failures import reason_of
from rotoscope.store.uploads import BucketUpload, FolderUpload
from rotoscope_api.airflow import Run
from rotoscope_api.caller import Caller
from rotoscope_api.plugin import PREFIX
from rotoscope_api.problems import GONE, Problem
from rotoscope_api.services import threaded

DAG, TASK = "register_video", "register"
REMEMBERED, REMEMBERED_FRAMES = 10_000, 3_000_000
"""Videos of which is kept what was read; frames of manifests, all together, since each has a timestamp in memory."""
State = Literal["awaiting_upload", "registering", "ready", "failed"]


class Facts(BaseModel):
    """What a video is, in short; its manifest says everything."""

    duration: float = Field(description="Seconds.")
    frames: int = Field(description="All of them were counted.")
    frame_rate: str = Field(description='Frames a second on average, as a fraction: "30000/1001".')
    width: int = Field(description="Pixels, as a viewer sees it.")
    height: int
    codec: str
    sound_streams: int


class Upload(BaseModel):
    """How the bytes of a video are sent."""

    method: Literal["put", "parts"] = Field(
        description="`put`: PUT pieces to `url`, with their Content-Range. `parts`: PUT part n to the n-th of `urls`."
    )
    bytes: int = Field(description="Of the whole file.")
    received: int | None = Field(default=None, description="Bytes that are there; go on from here. For `put`.")
    url: str | None = Field(default=None, description="Where pieces go. For `put`.")
    part_bytes: int | None = Field(default=None, description="Of each part but the last. For `parts`.")
    urls: list[str] | None = Field(default=None, description="Links of an hour, one for each part. For `parts`.")
    completion: str = Field(description="POST here when all is sent.")


class VideoResource(BaseModel):
    """A video of a caller."""

    id: str
    state: State
    name: str | None = Field(description="What people call it.")
    created_at: datetime | None = None
    sha256: str | None = Field(default=None, description="Of its bytes, once it is ready.")
    facts: Facts | None = Field(default=None, description="Once it is ready.")
    upload: Upload | None = Field(default=None, description="While its bytes are awaited.")
    failure: str | None = Field(default=None, description="Why it cannot be used, in one sentence.")


async def look(caller: Caller, store: Store, video_id: str) -> VideoResource:
    """A video of this id, as it is now. Raises Problem if there is none that the caller sees."""
    caller.check(video_id)
    try:
        run = await caller.airflow.get(DAG, video_id)
    except Problem as problem:
        if problem.kind != "not-found":
            raise
        return await threaded(_awaited, store, video_id)
    return await of_run(caller, store, run)


async def of_run(caller: Caller, store: Store, run: Run) -> VideoResource:
    """The video that a run registers, or has registered."""
    [made] = await of_runs(caller, store, [run])
    if run.state == "failed":
        made.failure = await threaded(reason_of, store, DAG, run.id)
    return made


async def of_runs(caller: Caller, store: Store, runs: list[Run]) -> list[VideoResource]:
    """The same for several, without the reasons why some failed."""
    abouts = await threaded(_abouts, store, runs)
    for run, about in zip(runs, abouts, strict=True):
        if run.state == "success" and "video" not in about:  # it was started in Airflow itself
            place = await caller.airflow.outcome(DAG, run.id, TASK)
            about["video"] = str(place).removeprefix("video://")
    return await threaded(_described, store, runs, abouts)


async def ready(caller: Caller, store: Store, video_id: str) -> tuple[str, Video]:
    """The SHA-256 and manifest of a video that can be painted. Raises Problem for any other."""
    found = await look(caller, store, video_id)
    if found.state != "ready" or found.sha256 is None:
        raise Problem("conflict", f"The video {video_id} is not ready: its state is {found.state}.")
    video = await threaded(video_of, store, found.sha256)
    # The record may be of somebody else who sent the same bytes: what they call it is theirs.
    return found.sha256, video.model_copy(update={"name": found.name or video.name})


@cached(LRUCache(REMEMBERED), lambda video: video.sha256, Lock())
def facts_of(video: Video) -> Facts:
    """A video in short."""
    ticks = video.pts[-1] + video.last_duration - video.pts[0]
    rate = (1 / (ticks * video.tick / video.frames)).limit_denominator(1001) if ticks else 0
    return Facts(
        duration=round(float(ticks * video.tick), 6),
        frames=video.frames,
        frame_rate=str(rate),
        width=video.upright_size[0],
        height=video.upright_size[1],
        codec=video.codec,
        sound_streams=len(video.sound),
    )


def keep_about(store: Store, video_id: str, about: dict[str, Any]) -> None:
    """Write down where a video comes from. A URL may be a secret, so it is not in the run's conf, which many see."""
    at = datetime.now(UTC).isoformat()
    store.put_json(keys.incoming(video_id, ABOUT), {**about, "at": at})


def conf_of(video_id: str) -> dict[str, Any]:
    """What the run is started with."""
    return {"source": f"{INCOMING}{video_id}"}


def upload_link(video_id: str) -> str:
    """Where the upload of a video is."""
    return f"{PREFIX}/videos/{video_id}/upload"


def video_of(store: Store, sha256: str) -> Video:
    """A video's manifest, which never changes. Raises KeyError if it is gone."""
    if not store.exists(keys.manifest(sha256)):
        raise KeyError(sha256)
    return _video_of(store, sha256)


@cached(LRUCache(REMEMBERED_FRAMES, getsizeof=lambda video: video.frames), lambda store, sha256: sha256, Lock())
def _video_of(store: Store, sha256: str) -> Video:
    return Video.model_validate(store.get_json(keys.manifest(sha256)))


def _known(store: Store, video_id: str) -> dict[str, Any]:
    """What was written down of a video that is to be uploaded. Raises Problem if none is."""
    try:
        about: dict[str, Any] = store.get_json(keys.incoming(video_id, ABOUT))
    except KeyError:
        raise Problem("not-found", f"There is no video {video_id}.") from None
    return about


def _awaited(store: Store, video_id: str) -> VideoResource:
    about = _known(store, video_id)
    made = VideoResource(id=video_id, state="registering", name=about["name"], created_at=about["at"])
    if not about.get("bytes"):
        return made  # it is to be fetched or assembled, and that is about to begin
    size, upload = int(about["bytes"]), uploads.upload_of(store, video_id)
    how: dict[str, Any] = {"bytes": size, "completion": f"{upload_link(video_id)}/completion"}
    if isinstance(upload, FolderUpload):
        how |= {"method": "put", "received": upload.received, "url": f"{upload_link(video_id)}/content"}
    else:
        assert isinstance(upload, BucketUpload)
        how |= {"method": "parts", "part_bytes": uploads.part_bytes(size), "urls": upload.links(size)}
    return made.model_copy(update={"state": "awaiting_upload", "upload": Upload(**how)})


def _abouts(store: Store, runs: list[Run]) -> list[dict[str, Any]]:
    return [_about(store, run) for run in runs]


def _about(store: Store, run: Run) -> dict[str, Any]:
    source = str((run.conf or {}).get("source", ""))
    if not source.startswith(INCOMING):
        return {}
    key = keys.incoming(source.removeprefix(INCOMING), ABOUT)
    try:
        about: dict[str, Any] = _final(store, key) if run.state == "success" else store.get_json(key)
    except KeyError:
        return {}
    return about


@cached(LRUCache(REMEMBERED), lambda store, key: key, Lock())
def _final(store: Store, key: str) -> dict[str, Any]:
    """What was written down of a video that is registered, which does not change any more."""
    found: dict[str, Any] = store.get_json(key)
    return found


def _described(store: Store, runs: list[Run], abouts: list[dict[str, Any]]) -> list[VideoResource]:
    return [_one(store, run, about) for run, about in zip(runs, abouts, strict=True)]


def _one(store: Store, run: Run, about: dict[str, Any]) -> VideoResource:
    made = VideoResource(id=run.id, state="registering", name=about.get("name"), created_at=run.created_at)
    if run.state == "failed":
        return made.model_copy(update={"state": "failed"})
    if run.state != "success":
        return made
    try:
        video = video_of(store, about["video"])
    except KeyError:
        return made.model_copy(update={"state": "failed", "failure": GONE})
    return made.model_copy(
        update={"state": "ready", "sha256": video.sha256, "facts": facts_of(video), "name": made.name or video.name}
    )
