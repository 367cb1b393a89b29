"""The plan of a request: its chunks, decided once, so that asking twice finds the same chunks painted."""

from bisect import bisect_left
from dataclasses import asdict
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from rotoscope import formats
from rotoscope.errors import Refused
from rotoscope.media import timing
from rotoscope.media.cut import Segments, plan_segments
from rotoscope.media.output import Output, frame_rate
from rotoscope.media.packets import Packets
from rotoscope.media.timeline import Timeline, plan_timeline
from rotoscope.media.video import Video
from rotoscope.painting import lossless_picture, steady_of, stored_picture
from rotoscope.request import Request
from rotoscope.store import keys

PAINTING_VERSION = 6
"""Goes up when the same request would give other pixels or plans, so that older objects are left alone."""
PLAN_SCHEMA: Literal[4] = 4
"""Goes up when plans are written otherwise: older ones stay in the store, and are not read."""
STEADY_VERSION = 8
"""The same for steady paint alone."""
NEIGHBOURS = 2
"""Frames on either side of a chunk that deinterlacing looks at."""


class Chunk(BaseModel):
    """A run of frames `[start, end)` of a video, the unit of mapped work.

    taken: frames `[start, end)` that it is painted from, with those around it on which steady paint depends; segments:
    (first, last) of the plan's that they are decoded from; digest: names the painted chunk, encoded for the
    output; lossless: names its painted frames as such, which `keep_painted` stores.
    """

    model_config = ConfigDict(frozen=True)

    index: int
    start: int
    end: int
    frames: int
    label: str
    taken: tuple[int, int]
    segments: tuple[int, int]
    digest: str
    lossless: str

    def of(self, frames: list[int]) -> list[int]:
        """Those of the ascending frames that are in this chunk."""
        return _within(frames, (self.start, self.end))

    def taken_of(self, frames: list[int]) -> list[int]:
        """Those of the ascending frames that it is painted from."""
        return _within(frames, self.taken)

    def shown(self, timeline: Timeline) -> list[tuple[int, int]]:
        """What the timeline shows of this chunk."""
        return _between(timeline, self.start, self.end)


class Plan(BaseModel):
    """A request, the video it is for, the segments that it is cut into and the chunks that it is painted in."""

    model_config = ConfigDict(frozen=True)

    schema_version: Literal[4] = PLAN_SCHEMA
    request: Request
    video: str
    result: str
    segments: Segments
    chunks: list[Chunk]

    def names(self, chunk: Chunk) -> list[str]:
        """Digests of all that painting a chunk leaves in the store."""
        return [chunk.digest, chunk.lossless] if self.request.keep_painted else [chunk.digest]

    @property
    def segments_digest(self) -> str:
        """Names the way in which the source is cut into segments."""
        return keys.digest({"video": self.video, **asdict(self.segments)})


def output_of(request: Request, video: Video) -> Output:
    """What the request makes of the video. Raises Refused if its part is empty, or the format cannot hold it."""
    target = formats.get(request.format)
    timeline = plan_timeline(video, request.start_second, request.end_second, request.rate)
    stored = stored_picture(request, video)
    if min(stored.size) < target.smallest:
        raise Refused(f"The result would be {stored.size[0]}x{stored.size[1]}; {target.title} needs {target.smallest}.")
    timing.refuse_if_too_dense([when for _, when in timeline.shown], timeline.tick, target.tick, target.title)
    encoder = target.encoder(request.quality, request.speed, frame_rate(timeline))
    return Output(target, encoder, stored, timeline)


def cut_digest(request: Request, video: Video, output: Output) -> str:
    """Names the cut of a request's frames into chunks, whatever the output format."""
    frames = timing.compress(output.timeline.frames)
    how = {"chunk_frames": request.chunk_frames, "scene_cuts": request.scene_cuts}
    return keys.digest({"painting": painting(request, video), "frames": frames, **how})


def plan_digest(request: Request, video: Video, output: Output) -> str:
    """Names the plan of this request for this video, wherever the file lay."""
    cut, result = cut_digest(request, video, output), result_digest(request, video, output)
    return keys.digest({"schema": PLAN_SCHEMA, "cut": cut, "result": result, "keep_painted": request.keep_painted})


def result_digest(request: Request, video: Video, output: Output) -> str:
    """Names the result: everything that its bytes depend on, and not how the work was cut."""
    frames, _ = (timing.compress(column) for column in zip(*output.timeline.shown, strict=True))
    held = {"frames": frames, "part": str(output.timeline.part), "last": output.timeline.last_duration}
    held |= {"encoder": output.encoder, "encoding": _encoding(output, output.timeline.shown)}
    return keys.digest({"painting": painting(request, video), **held, "format": output.target.model_dump()})


def painting(request: Request, video: Video) -> dict[str, Any]:
    """Everything that the pixels of a painted frame depend on, besides the frame."""
    picture = lossless_picture(request, video)
    filter = request.texture.fingerprint() if request.paints else None
    steady = steady_of(request, picture)
    alone = request.layers in ([], [(request.texture, request.strength)]) and not request.fade_to
    return {
        "version": PAINTING_VERSION,
        "video": video.sha256,
        "stream": video.stream,
        "filter": filter,
        "strength": request.strength if request.paints else 0,
        "keep_colours": request.keep_colours and request.paints,
        **({"layers": [[one.fingerprint(), strength] for one, strength in request.layers]} if not alone else {}),
        **_rarely(request),
        "steady": {**asdict(steady), "version": STEADY_VERSION} if steady else None,
        "deinterlace": request.deinterlace,
        "size": picture.size,
        "pixel_format": picture.pixel_format,
    }


def _rarely(request: Request) -> dict[str, Any]:
    """Of what pixels depend on, that which few requests have; others keep the names that they had without it."""
    found: dict[str, Any] = {}
    if not request.paints:
        return found
    if request.scale != 1:
        found["scale"] = request.scale
    if request.half:
        found["half"] = True
    if request.fade_to:
        when = [str(second) for second in (request.fade_start_second, request.fade_end_second)]
        found["fade"] = [[[one.fingerprint(), strength] for one, strength in request.later_layers], *when]
    if request.mask:
        found["mask"] = [request.mask, request.mask_feather, request.mask_invert]
    return found


def paid_digest(request: Request, video: Video) -> str:
    """Names what a remote filter makes of a video's frames, whatever is done with them afterwards."""
    mixed = ("strength", "keep_colours", "mask")
    return keys.digest({name: value for name, value in painting(request, video).items() if name not in mixed})


def make_plan(request: Request, video: Video, output: Output, packets: Packets, runs: list[range]) -> Plan:
    """The plan for a request whose frames are cut into `runs`, ranges of places in the timeline's list of frames."""
    pixels = painting(request, video)
    frames = output.timeline.frames
    groups = [frames[run.start : run.stop] for run in runs]
    steady = steady_of(request, lossless_picture(request, video))
    taken = [
        frames[run.start : run.stop] for run in (steady.around(one, len(frames)) if steady else one for one in runs)
    ]
    around = NEIGHBOURS if request.deinterlace else 0
    needed = [range(max(0, g[0] - around), min(video.frames, g[-1] + 1 + around)) for g in taken]
    segments, ranges = plan_segments(packets, video.tick, needed)
    chunks = []
    for index, (group, whole, held) in enumerate(zip(groups, taken, ranges, strict=True)):
        lossless = keys.digest({"painting": pixels, "frames": timing.compress(group), "taken": timing.compress(whole)})
        start, end = group[0], group[-1] + 1
        encoding = _encoding(output, _between(output.timeline, start, end))
        chunk = Chunk(
            index=index,
            start=start,
            end=end,
            frames=len(group),
            label=_label(group, video),
            taken=(whole[0], whole[-1] + 1),
            segments=(held.start, held.stop - 1),
            digest=keys.digest({"frames": lossless, "encoding": encoding}),
            lossless=lossless,
        )
        chunks.append(chunk)
    result = result_digest(request, video, output)
    return Plan(request=request.public, video=video.sha256, result=result, segments=segments, chunks=chunks)


def _within(frames: list[int], part: tuple[int, int]) -> list[int]:
    start, end = part
    return frames[bisect_left(frames, start) : bisect_left(frames, end)]


def _between(timeline: Timeline, start: int, end: int) -> list[tuple[int, int]]:
    """What a timeline shows of the frames `[start, end)`."""
    first, last = (bisect_left(timeline.shown, (frame, -(2**63))) for frame in (start, end))
    return timeline.shown[first:last]


def _encoding(output: Output, shown: list[tuple[int, int]]) -> dict[str, Any]:
    """Everything that a chunk of these frames depends on, besides their pixels."""
    return {
        "encoder": output.encoder if output.target.joined else "lossless",
        "pixel_format": output.stored.pixel_format,
        "size": output.stored.size,
        "tick": str(output.timeline.tick),
        "times": timing.compress([when for _, when in shown]),
    }


def _label(group: list[int], video: Video) -> str:
    """When a chunk is shown, and how many frames it has, for people."""
    pts, end = video.pts, group[-1] + 1
    shown_until = pts[end] if end < len(pts) else pts[-1] + video.last_duration
    begin, finish = (timing.clock(float((when - pts[0]) * video.tick)) for when in (pts[group[0]], shown_until))
    return f"{begin}-{finish}, {len(group)} frame{'s' if len(group) != 1 else ''}"
