"""Paint: one chunk from its segments to a painted chunk in the store, unless it is there already."""

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rotoscope.algorithmia.errors import AlgorithmiaError
from rotoscope.algorithmia.painter import RemotePainter
from rotoscope.errors import Mismatch, Refused
from rotoscope.media.decode import decode
from rotoscope.media.encode import TimedFrames, encode_lossless
from rotoscope.media.guard import OWN
from rotoscope.media.output import Output
from rotoscope.media.packets import read_packets
from rotoscope.media.pixels import file_format
from rotoscope.media.probe import file_sha256
from rotoscope.media.track import Frame, Picture, Track
from rotoscope.media.video import Video
from rotoscope.painting import Report, Workshop, encoder, lossless_picture, painted_track, show
from rotoscope.plan import Chunk, Plan, output_of
from rotoscope.quality.sample import Sample
from rotoscope.quality.similarity import ssim
from rotoscope.steps.mask import masked
from rotoscope.steps.progress import chunk_step, reporter
from rotoscope.steps.remote import Connect, nowhere, remote_painter
from rotoscope.steps.split import segment_track
from rotoscope.store import keys
from rotoscope.store.base import Store
from rotoscope.store.filters import at_hand

log = logging.getLogger(__name__)

Painted = Iterator[tuple[int, Frame, Frame]]
"""(index, source frame, painted frame)."""


def paint_chunk(
    store: Store, plan_key: str, index: int, run_id: str, threads: int, connect: Connect = nowhere
) -> dict[str, Any]:
    """Paint chunk `index` of a plan with `threads` threads; gives its record: frames, seconds, size, SHA-256, quality.

    connect: gives the endpoint of a remote filter.

    Nothing is painted if the store holds the chunk, whole. Raises Refused if the source is damaged in this chunk.
    """
    plan = Plan.model_validate(store.get_json(plan_key))
    chunk = plan.chunks[index]
    report = reporter(store, run_id, chunk_step(index))
    records = [_finished(store, digest) for digest in plan.names(chunk)]
    record = records[0] if all(records) else None
    if record is None:
        video = Video.model_validate(store.get_json(keys.manifest(plan.video)))
        work = _Chunk(store, plan, chunk, video, output_of(plan.request, video), run_id, connect)
        record = work.paint(threads, report)
        rate = chunk.frames / record["seconds"]
        log.info("Chunk %d (%s) painted in %.1f s, %.2f frames/s", index, chunk.label, record["seconds"], rate)
    else:
        log.info("Chunk %d (%s) was painted before; nothing to do", index, chunk.label)
    report(chunk.frames, chunk.frames)
    return record


def begin_chunk(store: Store, plan_key: str, index: int, run_id: str, connect: Connect) -> list[str]:
    """Have a remote filter paint a chunk without waiting for it; gives the URIs where its frames will lie.

    None are awaited if the chunk is painted already, or is not painted elsewhere.
    """
    plan = Plan.model_validate(store.get_json(plan_key))
    chunk = plan.chunks[index]
    if not plan.request.is_remote or _finished(store, chunk.lossless):
        return []
    if all(_finished(store, digest) for digest in plan.names(chunk)):
        return []
    video = Video.model_validate(store.get_json(keys.manifest(plan.video)))
    return _Chunk(store, plan, chunk, video, output_of(plan.request, video), run_id, connect).begin()


def forget(store: Store, digest: str) -> None:
    """Delete a painted chunk; its record last, so that damaged bytes are never without the record that shows it."""
    store.delete(keys.painted(digest))
    store.delete(keys.painted_record(digest))


def facts_of(path: Path) -> dict[str, Any]:
    """What a painted chunk's record says of its bytes."""
    return {"size_bytes": path.stat().st_size, "sha256": file_sha256(path)}


def _finished(store: Store, digest: str) -> dict[str, Any] | None:
    """The record of a painted chunk whose bytes are still those it was recorded with."""
    try:
        record: dict[str, Any] = store.get_json(keys.painted_record(digest))
    except KeyError:
        return None
    if store.exists(keys.painted(digest)):
        with store.local(keys.painted(digest)) as path:
            if record.items() >= facts_of(path).items():
                return record
    log.warning("A painted chunk (%s) is damaged or gone in the store; it is painted again", digest)
    forget(store, digest)
    return None


def _let_go(painter: RemotePainter) -> None:
    """The chunk is whole, so what is left at the endpoint is the run's to clean up."""
    try:
        painter.finish()
    except AlgorithmiaError as error:
        log.warning("The chunk's pictures could not be deleted at the endpoint: %s", error)


@dataclass(frozen=True)
class _Chunk:
    """A chunk that is being painted, with everything that it takes."""

    store: Store
    plan: Plan
    chunk: Chunk
    video: Video
    output: Output
    run_id: str
    connect: Connect

    def begin(self) -> list[str]:
        """Have a remote filter paint what is not painted, without waiting; gives where the frames will lie."""
        painter = self._remote()
        assert painter is not None
        with self._blaming(), segment_track(self.store, self.plan, self.video, self.chunk, self.run_id) as segment:
            workshop = Workshop.open(self.plan.request, self.video, 1, painter)
            return painter.begin(workshop.decoded(segment, self._pts, self.chunk.taken[0], self._wanted))

    def paint(self, threads: int, report: Report) -> dict[str, Any]:
        """Paint it and put it into the store; gives its record."""
        with ExitStack() as stack:
            folder = stack.enter_context(self.store.workspace(keys.run(self.run_id)))
            segment = stack.enter_context(segment_track(self.store, self.plan, self.video, self.chunk, self.run_id))
            path, kept = folder / "painted.nut", folder / "kept.nut"
            start, painter = time.perf_counter(), self._remote()
            said = self._write(segment, path, kept, threads, painter, report)
            seconds = round(time.perf_counter() - start, 3)
            self._check(path)
            if not self.plan.request.paints:
                said["ssim"] = self._similarity(segment, path)
            if painter is not None:
                said["spent"] = vars(painter.caller.spent)
            record = {"schema_version": 2, "frames": self.chunk.frames, "seconds": seconds, **said}
            if kept.exists():
                self._put(kept, self.chunk.lossless, record)
            record = self._put(path, self.chunk.digest, record)
        if painter is not None:
            _let_go(painter)
        return record

    def _put(self, path: Path, digest: str, record: dict[str, Any]) -> dict[str, Any]:
        self.store.put(keys.painted(digest), path)
        # Another run may have been first with the same chunk, so the record is of the bytes that the store holds.
        with self.store.local(keys.painted(digest)) as stored:
            record = {**record, **facts_of(stored)}
        self.store.put_json(keys.painted_record(digest), record)
        return record

    def _write(
        self, segment: Track, path: Path, kept: Path, threads: int, painter: RemotePainter | None, report: Report
    ) -> dict[str, Any]:
        """Write the painted frames, also without loss if they shall be kept; gives what was noticed meanwhile."""
        said: dict[str, Any] = {}
        sample = Sample(first=(self.chunk.start + self.chunk.end) // 2 - 1)
        with ExitStack() as stack:
            if _finished(self.store, self.chunk.lossless):
                painted, picture = self._kept_frames(stack)
                keeper = None
            else:
                workshop = self._workshop(stack, threads, painter)
                painted, picture = self._painted_frames(workshop, segment, said), workshop.picture
                keeper = stack.enter_context(self._keeper(kept, picture)) if self.plan.request.keep_painted else None
            timed = stack.enter_context(encoder(path, picture, self.output, self.video))
            shown = self.chunk.shown(self.output.timeline)
            for done in show(shown, self._watched(painted, sample, keeper), timed):
                report(done, self.chunk.frames)
        return {**said, **sample.measured()}

    def _workshop(self, stack: ExitStack, threads: int, painter: RemotePainter | None) -> Workshop:
        request = stack.enter_context(at_hand(self.plan.request, self.store))
        where = stack.enter_context(masked(request, self.store, self.video, range(*self.chunk.taken), self.run_id))
        return Workshop.open(request, self.video, threads, painter, where)

    def _painted_frames(self, workshop: Workshop, segment: Track, said: dict[str, Any]) -> Painted:
        """Frames painted now. Raises Refused if the segment does not decode to what the source promised."""
        with self._blaming():
            painted = workshop.frames(
                segment, self._pts, self.chunk.taken[0], self._wanted, lambda log: said.update(damage=log)
            )
            yield from (one for one in painted if self.chunk.start <= one[0] < self.chunk.end)

    @contextmanager
    def _blaming(self) -> Iterator[None]:
        """Frames that do not come as promised are the source's fault."""
        try:
            yield
        except Mismatch as mismatch:
            raise Refused(
                f"{self.video.name} is damaged at {self.chunk.label}. {mismatch} Give another copy of it, "
                "leave this part out with start and end, or mend it with "
                "`ffmpeg -i IN -c:v libx264 -qp 0 -c:a copy OUT.mkv`."
            ) from None

    @property
    def _pts(self) -> list[int]:
        """Timestamps of all frames from the first to the last that the chunk is painted from."""
        return self.video.pts[slice(*self.chunk.taken)]

    @property
    def _wanted(self) -> list[int]:
        return self.chunk.taken_of(self.output.timeline.frames)

    def _remote(self) -> RemotePainter | None:
        """What paints elsewhere, if that is where the filter is."""
        request = self.plan.request
        if not request.is_remote:
            return None
        return remote_painter(self.store, request, self.video, self.chunk, self.run_id, self.connect())

    def _kept_frames(self, stack: ExitStack) -> tuple[Painted, Picture]:
        """Frames that were painted before and kept."""
        picture = lossless_picture(self.plan.request, self.video)
        path = stack.enter_context(self.store.local(keys.painted(self.chunk.lossless)))
        held = file_format(picture.pixel_format)
        offset = self.video.pts[self.chunk.start]
        track = Track(path, OWN, 0, self.video.tick, held, picture.size, self.video.colour, offset=offset)
        indices = self.chunk.of(self.output.timeline.frames)
        frames = decode(track, picture, [self.video.pts[index] for index in indices])
        return ((index, frame, frame) for index, frame in zip(indices, frames, strict=True)), picture

    def _keeper(self, path: Path, frames: Picture) -> Any:
        stored = lossless_picture(self.plan.request, self.video)
        return encode_lossless(path, frames, stored, self.video.tick, self.video.colour)

    def _watched(self, painted: Painted, sample: Sample, keeper: TimedFrames | None) -> Iterator[tuple[int, Frame]]:
        """The painted frames, each looked at and kept on its way."""
        pts, offset = self.video.pts, self.video.pts[self.chunk.start]
        for index, source, frame in painted:
            sample.add(index, source, frame)
            if keeper is not None:
                keeper.write(pts[index] - offset, frame)
            yield index, frame

    def _check(self, path: Path) -> None:
        written, expected = len(read_packets(path, OWN, 0).pts), len(self.chunk.shown(self.output.timeline))
        if written != expected:
            raise Mismatch(f"Chunk {self.chunk.index} came out with {written} frames where {expected} were expected.")

    def _similarity(self, segment: Track, path: Path) -> float:
        """SSIM of the middle frame, as it is encoded, against the source."""
        shown = self.chunk.shown(self.output.timeline)
        index, when = shown[len(shown) // 2]
        grey = Picture("gray", self.output.stored.size)
        (after,) = decode(painted_track(path, self.output, self.video), grey, [when])
        (before,) = decode(segment, grey, [self.video.pts[index]])
        shape = (grey.size[1], grey.size[0])
        return round(ssim(before.reshape(shape), after.reshape(shape)), 6)
