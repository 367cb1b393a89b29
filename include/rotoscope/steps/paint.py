"""Paint: one chunk from its segment to a painted chunk in the store, unless it is there already."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from rotoscope import formats
from rotoscope.errors import Mismatch
from rotoscope.media.encode import encode_lossless
from rotoscope.media.pixels import file_format
from rotoscope.media.probe import file_sha256, read_packets
from rotoscope.media.track import Picture, Track
from rotoscope.media.video import Video
from rotoscope.painting import Report, Workshop, stored_picture
from rotoscope.plan import Chunk, Plan, timeline_of
from rotoscope.steps.progress import chunk_step, reporter
from rotoscope.steps.split import cut_segments
from rotoscope.store import keys
from rotoscope.store.base import Store

log = logging.getLogger(__name__)


def paint_chunk(store: Store, plan_key: str, index: int, run_id: str, threads: int) -> dict[str, Any]:
    """Paint chunk `index` of a plan with `threads` threads; gives its record: frames, seconds, size, SHA-256.

    Nothing is painted if the store holds the chunk, whole. Raises Mismatch if frames come out other than planned.
    """
    plan = Plan.model_validate(store.get_json(plan_key))
    chunk = plan.chunks[index]
    report = reporter(store, run_id, chunk_step(index))
    record = _finished(store, chunk)
    if record is None:
        record = _paint(store, plan, chunk, run_id, threads, report)
        rate = chunk.frames / record["seconds"]
        log.info("Chunk %d (%s) painted in %.1f s, %.2f frames/s", index, chunk.label, record["seconds"], rate)
    else:
        log.info("Chunk %d (%s) was painted before; nothing to do", index, chunk.label)
    report(chunk.frames, chunk.frames)
    return record


def forget_chunk(store: Store, chunk: Chunk) -> None:
    """Delete a painted chunk; its record last, so that damaged bytes are never without the record that shows it."""
    store.delete(keys.painted(chunk.digest))
    store.delete(keys.painted_record(chunk.digest))


@contextmanager
def segment_track(store: Store, video: Video, chunk: Chunk, run_id: str) -> Iterator[Track]:
    """How to read a chunk's segment of the source, cut anew if the run's scratch is gone."""
    if not store.exists(keys.segment(run_id, chunk.digest)):
        cut_segments(store, video, [chunk], run_id)
    with store.local(keys.segment(run_id, chunk.digest)) as path:
        yield replace(Track.of(video, path), stream=0, offset=chunk.piece.offset)


def painted_track(path: Path, plan: Plan, chunk: Chunk, video: Video) -> Track:
    """How to read a painted chunk of a plan; its timestamps count from its first frame."""
    stored = stored_of(plan, video)
    offset = video.pts[chunk.start]
    return Track(path, 0, video.tick, file_format(stored.pixel_format), stored.size, video.colour, offset=offset)


def stored_of(plan: Plan, video: Video) -> Picture:
    """What the frames of a plan's painted chunks look like."""
    return stored_picture(plan.request, video, formats.get(plan.request.format).pixel_format)


def _finished(store: Store, chunk: Chunk) -> dict[str, Any] | None:
    """The record of a painted chunk whose bytes are still those it was recorded with."""
    try:
        record: dict[str, Any] = store.get_json(keys.painted_record(chunk.digest))
    except KeyError:
        return None
    if store.exists(keys.painted(chunk.digest)) and record.items() >= _bytes(store, chunk).items():
        return record
    log.warning("Chunk %d (%s) is damaged or gone in the store; it is painted again", chunk.index, chunk.label)
    forget_chunk(store, chunk)
    return None


def _bytes(store: Store, chunk: Chunk) -> dict[str, Any]:
    with store.local(keys.painted(chunk.digest)) as path:
        return {"size_bytes": path.stat().st_size, "sha256": file_sha256(path)}


def _paint(store: Store, plan: Plan, chunk: Chunk, run_id: str, threads: int, report: Report) -> dict[str, Any]:
    video = Video.model_validate(store.get_json(keys.manifest(plan.video)))
    with segment_track(store, video, chunk, run_id) as segment, store.workspace(keys.run(run_id)) as folder:
        painted = folder / "painted.nut"
        start = time.perf_counter()
        _encode(plan, chunk, video, segment, painted, threads, report)
        seconds = round(time.perf_counter() - start, 3)
        store.put(keys.painted(chunk.digest), painted)
    # Another run may have been first with the same chunk, so the record is of the bytes that the store holds.
    record = {"schema_version": 1, "frames": chunk.frames, "seconds": seconds, **_bytes(store, chunk)}
    store.put_json(keys.painted_record(chunk.digest), record)
    return record


def _encode(
    plan: Plan, chunk: Chunk, video: Video, segment: Track, painted: Path, threads: int, report: Report
) -> None:
    workshop = Workshop.open(plan.request, video, threads)
    target = painted_track(painted, plan, chunk, video)
    pts = video.pts[chunk.start : chunk.end]
    wanted = chunk.of(timeline_of(plan.request, video).frames)
    with encode_lossless(painted, workshop.picture, stored_of(plan, video), video.tick, video.colour) as timed:
        frames = workshop.frames(segment, pts, chunk.start, wanted)
        for done, (index, frame) in enumerate(frames, 1):
            timed.write(pts[index - chunk.start] - target.offset, frame)
            report(done, chunk.frames)
    written = len(read_packets(painted, 0).pts)
    if written != chunk.frames:
        raise Mismatch(f"Chunk {chunk.index} came out with {written} frames where {chunk.frames} were expected.")
