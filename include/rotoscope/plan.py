"""The plan of a request: its chunks, decided once, so that asking twice finds the same chunks painted."""

from bisect import bisect_left
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from rotoscope import formats
from rotoscope.filters import catalogue
from rotoscope.media import timing
from rotoscope.media.cut import Piece, pieces
from rotoscope.media.probe import Packets
from rotoscope.media.timeline import Timeline, plan_timeline
from rotoscope.media.video import Video
from rotoscope.painting import stored_picture
from rotoscope.request import Request
from rotoscope.store import keys

PAINTING_VERSION = 1
"""Goes up when the same request would give other pixels, so that older painted chunks are left alone."""


class Chunk(BaseModel):
    """A run of frames `[start, end)` of a video, the unit of mapped work."""

    model_config = ConfigDict(frozen=True)

    index: int
    start: int
    end: int
    frames: int
    label: str
    piece: Piece
    digest: str

    def of(self, frames: list[int]) -> list[int]:
        """Those of the ascending frames that are in this chunk."""
        return frames[bisect_left(frames, self.start) : bisect_left(frames, self.end)]


class Plan(BaseModel):
    """A request, the video it is for and the chunks that it is painted in."""

    model_config = ConfigDict(frozen=True)

    schema_version: Literal[1] = 1
    request: Request
    video: str
    result: str
    chunks: list[Chunk]


def timeline_of(request: Request, video: Video) -> Timeline:
    """Raises Refused if the request's part of the video holds no frame."""
    return plan_timeline(video, request.start_second, request.end_second, request.rate)


def cut_digest(request: Request, video: Video) -> str:
    """Names the cut of a request's frames into chunks, whatever the output format."""
    frames = timing.compress(timeline_of(request, video).frames)
    return keys.digest({"painting": painting(request, video), "frames": frames, "chunk_frames": request.chunk_frames})


def plan_digest(request: Request, video: Video) -> str:
    """Names the plan of this request for this video, wherever the file lay."""
    return keys.digest({"cut": cut_digest(request, video), "result": result_digest(request, video)})


def result_digest(request: Request, video: Video) -> str:
    """Names the result: everything that its bytes depend on, and not how the work was cut."""
    timeline = timeline_of(request, video)
    frames, times = (timing.compress(column) for column in zip(*timeline.shown, strict=True))
    shown = {"tick": str(timeline.tick), "frames": frames, "times": times}
    return keys.digest(
        {"painting": painting(request, video), "shown": shown, "format": formats.get(request.format).model_dump()}
    )


def painting(request: Request, video: Video) -> dict[str, Any]:
    """Everything that the pixels of a painted frame depend on, besides the frame."""
    stored = stored_picture(request, video, formats.get(request.format).pixel_format)
    filter = catalogue.get(request.filter).fingerprint() if request.paints else None
    return {
        "version": PAINTING_VERSION,
        "video": video.sha256,
        "stream": video.stream,
        "filter": filter,
        "strength": request.strength if request.paints else 0,
        "keep_colours": request.keep_colours and request.paints,
        "size": stored.size,
        "pixel_format": stored.pixel_format,
    }


def make_plan(request: Request, video: Video, packets: Packets, runs: list[range]) -> Plan:
    """The plan for a request whose frames are cut into `runs`, ranges of places in the timeline's list of frames."""
    frames = timeline_of(request, video).frames
    groups = [frames[run.start : run.stop] for run in runs]
    needed = pieces(packets, video, [range(group[0], group[-1] + 1) for group in groups])
    pixels = painting(request, video)
    chunks = [
        _chunk(index, group, piece, video, pixels)
        for index, (group, piece) in enumerate(zip(groups, needed, strict=True))
    ]
    return Plan(request=request, video=video.sha256, result=result_digest(request, video), chunks=chunks)


def _chunk(index: int, group: list[int], piece: Piece, video: Video, pixels: dict[str, Any]) -> Chunk:
    pts = video.pts
    start, end = group[0], group[-1] + 1
    shown_until = pts[end] if end < len(pts) else pts[-1] + video.last_duration
    begin, finish = (timing.clock(float((when - pts[0]) * video.tick)) for when in (pts[start], shown_until))
    return Chunk(
        index=index,
        start=start,
        end=end,
        frames=len(group),
        label=f"{begin}-{finish}, {len(group)} frame{'s' if len(group) != 1 else ''}",
        piece=piece,
        digest=keys.digest({"painting": pixels, "frames": timing.compress(group)}),
    )
