"""Videos: bring them in, by URL or upload, and see what they are."""

import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from rotoscope import formats
from rotoscope.fetch import name_of
from rotoscope.media.passage import notices
from rotoscope.plan import output_of
from rotoscope.request import Request as Painting
from rotoscope.store import keys, uploads
from rotoscope.store.base import Store
from rotoscope.store.uploads import BucketUpload, FolderUpload, OutOfStep
from rotoscope_api import jobs, registrations
from rotoscope_api.airflow import UNFINISHED
from rotoscope_api.booking import Order, started
from rotoscope_api.caller import Caller, allowed
from rotoscope_api.manners import (
    Cursor,
    Id,
    IdempotencyKey,
    Limit,
    Listed,
    Prefer,
    accepted,
    fresh_id,
)
from rotoscope_api.paintings import DAG as PAINT_DAG
from rotoscope_api.plugin import PREFIX
from rotoscope_api.problems import Problem, documented
from rotoscope_api.registrations import VideoResource
from rotoscope_api.routers import frame_sets
from rotoscope_api.services import threaded
from rotoscope_api.store import StoreDep, let_go

router = APIRouter(prefix="/videos", tags=["Videos"])
Reader = Annotated[Caller, allowed("videos:read")]
Writer = Annotated[Caller, allowed("videos:write")]
CONTENT_RANGE = r"^bytes [0-9]{1,15}-[0-9]{1,15}/[0-9]{1,15}$"
"""RFC 9110, with all that it leaves open said."""


class UploadToCome(BaseModel):
    """A file that the caller will send."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200, description="Of the file.", examples=["flight.mp4"])
    bytes: int = Field(gt=0, le=2**43, description="Of the whole file.", examples=[7340032])
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$", description="If given, it is verified.")


class VideoCreate(BaseModel):
    """Where a video is: at a URL, with the caller, who will upload it, or in a set of frames to be assembled."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"oneOf": [{"required": ["url"]}, {"required": ["upload"]}, {"required": ["frame_set"]}]},
    )

    url: str | None = Field(
        default=None,
        max_length=4000,
        pattern=r"^(https?|s3|data)://\S+$",
        description="http(s)://, or, for users of Airflow, s3:// and data:// with the connections of the server.",
    )
    upload: UploadToCome | None = Field(default=None, description="The file that is to come.")

    frame_set: Id | None = Field(default=None, description="The id of a set of frames that is there.")
    fps: str | None = Field(
        default=None,
        max_length=20,
        pattern=r"^[1-9]\d{0,5}(/[1-9]\d{0,5})?$",
        description='Of a set: frames a second, such as "25" or "30000/1001", without sound. Left out, its frames keep '
        "their own times, and the sound of their video.",
    )

    @model_validator(mode="after")
    def _one(self) -> "VideoCreate":
        if [self.url, self.upload, self.frame_set].count(None) != 2:
            raise ValueError("give either url or upload or frame_set")
        if self.fps and not self.frame_set:
            raise ValueError("fps is for a set of frames")
        return self


class Completion(BaseModel):
    """That all is sent."""

    model_config = ConfigDict(extra="forbid")

    etags: list[Annotated[str, Field(max_length=200)]] = Field(
        default=[], max_length=10_000, description="For `parts`: the ETag that was answered for each part, in order."
    )


class Received(BaseModel):
    """How far an upload is."""

    received: int = Field(description="Bytes that are there.")
    bytes: int = Field(description="Of the whole file.")


class Stream(BaseModel):
    """A stream of a video's file, beside the pictures."""

    kind: str
    codec: str | None
    language: str | None


class ProbeReport(BaseModel):
    """What was found in a video, and what will become of it."""

    container: str
    codec: str
    pixel_format: str
    width: int
    height: int
    rotation: int
    frames: int
    variable_frame_rate: bool = Field(description="Whether frames are shown for different times; these are kept.")
    interlaced: bool
    streams: list[Stream] = Field(description="Those beside the pictures.")
    cut: Literal["copy", "lossless"] = Field(description="How it is split: by copy, or from a lossless copy.")
    cut_reason: str | None = Field(description="Why not by copy.")
    notices: list[str] = Field(description="What a painted MP4 will not hold as it is.")


@router.post(
    "",
    status_code=202,
    summary="Create Video",
    responses={
        201: {"model": VideoResource, "description": "It is ready, or its upload may begin."},
        **documented("not-found", "conflict"),
    },
)
async def create_video(
    request: Request,
    response: Response,
    caller: Writer,
    store: StoreDep,
    body: Annotated[
        VideoCreate,
        Body(
            openapi_examples={
                "url": {"summary": "From a URL", "value": {"url": "https://videos.example.com/flight.mp4"}},
                "frames": {"summary": "Of frames", "value": {"frame_set": "acme.0980c36b87a94600ac652260"}},
                "upload": {"summary": "By upload", "value": {"upload": {"name": "flight.mp4", "bytes": 7340032}}},
            }
        ),
    ],
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
) -> VideoResource:
    """Register a video: fetched, assembled from frames, or uploaded afterwards to the place that the answer names.

    It is hashed, probed and kept; rotoscopes name it by its id. With an upload to come there is no video
    until all of it is sent and verified.
    """
    if body.url and caller.is_partner and not body.url.startswith("http"):
        raise Problem("forbidden", "s3:// and data:// are read with the server's own credentials; give an https URL.")
    video_id = await fresh_id(request, caller, idempotency_key)
    location = f"{PREFIX}/videos/{video_id}"
    if body.upload is not None:
        await threaded(registrations.keep_about, store, video_id, body.upload.model_dump())
        made = await registrations.look(caller, store, video_id)
        accepted(response, location, is_over=True)
        return made
    about: dict[str, Any] = {"url": body.url, "name": name_of(str(body.url))}
    if body.frame_set is not None:
        await frame_sets.whole(caller, store, body.frame_set)
        about = {"frames": body.frame_set, "fps": body.fps, "name": "frames.mp4"}
    await threaded(registrations.keep_about, store, video_id, about)
    return await _register(response, caller, store, video_id, prefer)


@router.get("", summary="List Videos")
async def list_videos(
    caller: Reader, store: StoreDep, limit: Limit = 20, cursor: Cursor = None
) -> Listed[VideoResource]:
    """The caller's videos, the newest first; without those whose upload is not complete."""
    page = await caller.airflow.page(registrations.DAG, caller.runs, cursor, limit)
    return Listed(items=await registrations.of_runs(caller, store, page.runs), next_cursor=page.next)


@router.get("/{video_id}", summary="Get Video", responses=documented("not-found"))
async def get_video(caller: Reader, store: StoreDep, video_id: Id) -> VideoResource:
    """A video as it is now: awaited, being registered, ready, or failed with the reason."""
    return await registrations.look(caller, store, video_id)


@router.delete("/{video_id}", status_code=204, summary="Delete Video", responses=documented("not-found", "conflict"))
async def delete_video(caller: Writer, store: StoreDep, video_id: Id) -> None:
    """Delete a video, or give up its upload. Refused while an unfinished rotoscope needs it; results stay.

    Its bytes go when no other registration of the same video is left.
    """
    found = await registrations.look(caller, store, video_id)
    if found.state == "registering":
        raise Problem("conflict", "It is being registered; wait until that is over.")
    if found.sha256 and await caller.airflow.names(PAINT_DAG, f"video://{found.sha256}", state=UNFINISHED):
        raise Problem("conflict", "An unfinished rotoscope needs it; cancel that first, or wait.")
    if found.state != "awaiting_upload":
        await caller.airflow.delete(registrations.DAG, video_id)
    await threaded(uploads.forget, store, video_id)
    if found.sha256:
        await threaded(let_go, store, keys.video(found.sha256), video_id)


@router.get("/{video_id}/manifest", summary="Get Manifest", responses=documented("not-found", "conflict"))
async def get_manifest(caller: Reader, store: StoreDep, video_id: Id) -> dict[str, Any]:
    """Everything that is known of a video, as the JSON record that the store keeps."""
    _, video = await registrations.ready(caller, store, video_id)
    return video.model_dump(mode="json")


@router.get("/{video_id}/probe-report", summary="Get Probe Report", responses=documented("not-found", "conflict"))
async def get_probe_report(caller: Reader, store: StoreDep, video_id: Id) -> ProbeReport:
    """What was found in a video, how it will be split, and what a painted MP4 of it will not hold as it is."""
    _, video = await registrations.ready(caller, store, video_id)
    painting = Painting.parse({"source": f"video://{video.sha256}"})
    output = output_of(painting, video)
    return ProbeReport(
        container=video.container,
        codec=video.codec,
        pixel_format=video.pixel_format,
        width=video.width,
        height=video.height,
        rotation=video.rotation,
        frames=video.frames,
        variable_frame_rate=len(video.timestamps) > 1,
        interlaced=video.interlaced,
        streams=[Stream(kind=one.kind, codec=one.codec, language=one.language) for one in video.others],
        cut=video.cut.method,
        cut_reason=video.cut.reason,
        notices=notices(video, formats.get("mp4"), output.stored, False),
    )


@router.put(
    "/{video_id}/upload/content",
    summary="Upload Piece",
    responses=documented("not-found", "conflict", "range-not-satisfiable", "too-large"),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def upload_piece(
    request: Request,
    caller: Writer,
    store: StoreDep,
    video_id: Id,
    content_range: Annotated[
        str | None,
        Header(
            pattern=CONTENT_RANGE, description="`bytes FIRST-LAST/ALL`; without it, the whole file is sent at once."
        ),
    ] = None,
) -> Received:
    """Send a piece of a video, or all of it. After a broken connection `received` of the video says where to go on."""
    found = await registrations.look(caller, store, video_id)
    if found.upload is None:
        raise Problem("conflict", f"Nothing is to be sent: the video is {found.state}.")
    upload, size = uploads.upload_of(store, video_id), found.upload.bytes
    if not isinstance(upload, FolderUpload):
        raise Problem("conflict", "This video is not uploaded here; its resource says how, if it is at all.")
    offset, count = _piece(content_range, size)
    try:
        async for block in request.stream():
            if len(block) > count:
                raise Problem("too-large", "There are more bytes than the range or the promised size.")
            offset, count = await threaded(upload.write, offset, block), count - len(block)
    except OutOfStep as step:
        detail = f"{step.received} bytes are there; the next piece begins with that one."
        raise Problem("range-not-satisfiable", detail, {"Content-Range": f"bytes */{size}"}) from None
    return Received(received=upload.received, bytes=size)


@router.post(
    "/{video_id}/upload/completion",
    status_code=202,
    summary="Complete Upload",
    responses={
        **documented("not-found", "conflict"),
        201: {"model": VideoResource, "description": "It is registered already."},
    },
)
async def complete_upload(
    response: Response,
    caller: Writer,
    store: StoreDep,
    video_id: Id,
    body: Completion | None = None,
    prefer: Prefer = None,
) -> VideoResource:
    """Say that all bytes are sent: the video is verified, probed and registered."""
    found = await registrations.look(caller, store, video_id)
    if found.upload is None:
        accepted(response, f"{PREFIX}/videos/{video_id}", found.state != "registering")
        return found
    upload = uploads.upload_of(store, video_id)
    if isinstance(upload, BucketUpload):
        await threaded(upload.complete, body.etags if body else [])
    else:
        await threaded(upload.complete, found.upload.bytes)
    return await _register(response, caller, store, video_id, prefer)


async def _register(
    response: Response, caller: Caller, store: Store, video_id: str, prefer: str | None
) -> VideoResource:
    run = await started(caller, store, Order(registrations.DAG, video_id, registrations.conf_of(video_id)))
    run = await jobs.awaited(response, caller, run, f"{PREFIX}/videos/{video_id}", prefer)
    return await registrations.of_run(caller, store, run)


def _piece(content_range: str | None, size: int) -> tuple[int, int]:
    """(offset, bytes) of a piece. Raises Problem for a range that is not of this file."""
    if content_range is None:
        return 0, size
    first, last, whole = map(int, re.findall(r"[0-9]+", content_range))
    if whole != size or last < first or last >= size:
        detail = f"The file has {size} bytes, as was promised; {content_range} is not in it."
        raise Problem("range-not-satisfiable", detail, {"Content-Range": f"bytes */{size}"})
    return first, last - first + 1
