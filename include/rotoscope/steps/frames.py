"""Frames: separate a video into pictures, paint a set of them, and put one together as a video again."""

import logging
import zipfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from rotoscope import formats
from rotoscope.engines import Frame
from rotoscope.errors import Refused
from rotoscope.fetch import Fetch
from rotoscope.filters.chain import Timed
from rotoscope.frames import ARCHIVE, MOST_FRAMES, SET, FrameSet, FrameSetRequest, PictureOfFrame
from rotoscope.media.deliver import deliver
from rotoscope.media.encode import encode
from rotoscope.media.output import Output, frame_rate
from rotoscope.media.pick import pick_runs
from rotoscope.media.pixels import RGB
from rotoscope.media.source import Source, reopen
from rotoscope.media.still import decode_picture, encode_picture, in_eight_bits
from rotoscope.media.timeline import Timeline
from rotoscope.media.track import Picture
from rotoscope.media.video import Video
from rotoscope.palette import still_paint
from rotoscope.plan import output_of
from rotoscope.request import Request
from rotoscope.steps.progress import reporter
from rotoscope.steps.split import arrive, keep_source
from rotoscope.store import keys
from rotoscope.store.base import Store
from rotoscope.store.filters import at_hand

log = logging.getLogger(__name__)
STEP = "frames"


def make_frame_set(request: FrameSetRequest, store: Store, run_id: str, threads: int, fetch: Fetch) -> dict[str, str]:
    """Separate a video into frames, or paint a set of them; gives the key of what is known of the new set.

    Raises Refused for what cannot be used, and for more frames than a set may have.
    """
    key = keys.frame_set(run_id, SET)
    if not store.exists(key):
        if request.frames:
            made = _painted(request, request.frames, store, run_id, threads)
        else:
            made = _separated(request, store, run_id, threads, fetch)
        if request.archive:
            _archive(store, run_id, made)
        store.put_json(key, made.model_dump(mode="json"))
        log.info("%d frames are pictures now", len(made.frames))
    return {"set": key}


def frame_set(store: Store, run_id: str) -> FrameSet:
    """What is known of a set. Raises Refused if there is none."""
    try:
        return FrameSet.model_validate(store.get_json(keys.frame_set(run_id, SET)))
    except KeyError:
        raise Refused(f"There is no set of frames {run_id}; separate a video first.") from None


def _separated(request: FrameSetRequest, store: Store, run_id: str, threads: int, fetch: Fetch) -> FrameSet:
    with store.workspace(keys.run(run_id)) as folder, at_hand(request, store) as ready:
        source, packets = arrive(request.taking, store, folder, fetch)
        timeline = output_of(request.taking, source.video).timeline
        shown = timeline.shown[:: request.every]
        if len(shown) > MOST_FRAMES:
            raise Refused(f"That are {len(shown)} frames, and a set has {MOST_FRAMES} at most; take fewer of them.")
        size = request.taking.painted_size(source.video.upright_size)
        first, scratch = timeline.frames[0], folder / "picked"
        scratch.mkdir()
        whole = [range(first, timeline.frames[-1] + 1)]
        decoded = pick_runs(source.track, packets, whole, Picture(RGB, size), scratch)
        wanted = {index for index, _ in shown}
        painting = ready.painting
        paint = _paint(painting, threads)
        taken = (paint(index, frame) for index, frame in enumerate(decoded, first) if index in wanted)
        frames = _stored(store, run_id, request, shown, taken)
        keep_source(store, source)
    return FrameSet(
        video=source.video.sha256,
        picture=request.picture,
        size=size,
        tick=str(timeline.tick),
        last_duration=timeline.last_duration,
        part=(str(timeline.part[0]), str(timeline.part[1])) if timeline.part else None,
        frames=frames,
        filter=painting.filter if request.filter else None,
        archive=request.archive,
    )


def _painted(request: FrameSetRequest, set_id: str, store: Store, run_id: str, threads: int) -> FrameSet:
    before = frame_set(store, set_id)
    shown = [(one.index, one.pts) for one in before.frames]
    with at_hand(request, store) as ready:
        painting = ready.painting
        paint = _paint(painting, threads)
        taken = (paint(one.index, _read(store, set_id, one)) for one in before.frames)
        frames = _stored(store, run_id, request, shown, taken)
    changed = {"frames": frames, "picture": request.picture, "archive": request.archive, "filter": painting.filter}
    return before.model_copy(update=changed)


def _paint(painting: Request, threads: int) -> Timed:
    """What paints a frame, or leaves it as it is."""
    return still_paint(painting, threads) if painting.paints else lambda index, frame: frame


def _stored(
    store: Store, run_id: str, request: FrameSetRequest, shown: list[tuple[int, int]], frames: Iterator[Frame]
) -> list[PictureOfFrame]:
    """Each frame as a picture in the store."""
    said, made = reporter(store, run_id, STEP), []
    extension = "jpg" if request.picture == "jpeg" else "png"
    with store.workspace(keys.run(run_id)) as folder:
        for (index, pts), frame in zip(shown, frames, strict=True):
            one = PictureOfFrame(name=f"{index:08}.{extension}", index=index, pts=pts)
            path = folder / one.name
            path.write_bytes(encode_picture(in_eight_bits(frame), request.picture))
            store.put(keys.frame_set(run_id, one.name), path)
            made.append(one)
            said(len(made), len(shown))
    return made


def _archive(store: Store, run_id: str, made: FrameSet) -> None:
    """All pictures of a set in one zip file."""
    with store.workspace(keys.run(run_id)) as folder:
        path = folder / ARCHIVE
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for one in made.frames:
                with store.local(keys.frame_set(run_id, one.name)) as picture:
                    archive.write(picture, one.name)
        store.put(keys.frame_set(run_id, ARCHIVE), path)


def assembled(store: Store, run_id: str, fps: Fraction | None, path: Path, folder: Path) -> None:
    """Put a set together as an MP4 at `path`: at the frames' own times with the video's sound, or at `fps` without.

    Raises Refused if there is no such set, or its video is gone.
    """
    made = frame_set(store, run_id)
    try:
        video = Video.model_validate(store.get_json(keys.manifest(made.video)))
        with store.local(keys.source(made.video)) as file:
            source = reopen(video, file, folder)
            if fps is not None:
                source = Source(video.model_copy(update={"others": []}), source.file, source.pictures)
            _assemble(store, run_id, made, source, _timeline(made, fps), path, folder)
    except KeyError:
        raise Refused(f"The video of the frames {run_id} is not in the store any more.") from None


def _assemble(
    store: Store, run_id: str, made: FrameSet, source: Source, timeline: Timeline, path: Path, folder: Path
) -> None:
    target = formats.get("mp4")
    encoder = target.encoder(None, None, frame_rate(timeline))
    size = (made.size[0] // 2 * 2, made.size[1] // 2 * 2)
    output, nut = Output(target, encoder, Picture("yuv420p", size), timeline), folder / "frames.nut"
    with encode(nut, Picture(RGB, made.size), output.stored, timeline.tick, source.video, encoder) as writer:
        for one, (_, when) in zip(made.frames, timeline.shown, strict=True):
            writer.write(when, _read(store, run_id, one))
    deliver(path, [nut], source, output, lambda frames: None)


def _timeline(made: FrameSet, fps: Fraction | None) -> Timeline:
    if fps is not None:
        return Timeline(1 / fps, [(one.index, place) for place, one in enumerate(made.frames)], 1, None)
    part = (Fraction(made.part[0]), Fraction(made.part[1])) if made.part else None
    shown = [(one.index, one.pts) for one in made.frames]
    return Timeline(Fraction(made.tick), shown, made.last_duration, part)


def _read(store: Store, run_id: str, one: PictureOfFrame) -> Frame:
    with store.local(keys.frame_set(run_id, one.name)) as path:
        return decode_picture(path.read_bytes())
