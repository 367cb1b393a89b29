"""Painting: frames out of a track, through the filter, in order. The same code for one chunk and for a whole video."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rotoscope import formats
from rotoscope.engines import Paint, Painter
from rotoscope.errors import Mismatch
from rotoscope.filters import chain
from rotoscope.filters.chain import Timed
from rotoscope.filters.temporal import Steady, steadied
from rotoscope.masks import Where
from rotoscope.media.decode import Complaint, decode
from rotoscope.media.encode import TimedFrames, encode, encode_lossless
from rotoscope.media.guard import OWN
from rotoscope.media.output import Output
from rotoscope.media.pixels import file_format, nearest, rgb_format, working_format
from rotoscope.media.track import Frame, Picture, Track
from rotoscope.media.video import Video
from rotoscope.palette import paint_of
from rotoscope.request import Request

IN_FLIGHT = 2
"""Frames painted at once, so that one's conversion overlaps the other's inference."""
TRIAL = (640, 360)
REMOTE_CALLS = 8
"""Frames that an endpoint is taken to paint at once."""
TRIALS = 4
"""The first also pays for memory, and others may wait for a busy processor, so the best one counts."""
COPY_SECONDS_A_PIXEL = 1.5e-8
"""Decoding and encoding losslessly, for all filters: 70 frames of 720p a second."""
KEYS_CARRY_SECONDS_A_PIXEL, CARRY_SECONDS_A_PIXEL = 6e-8, 1.5e-7
"""Carrying paint along the flow, for one thread, at 640x360: with key frames alone, which a dial of 1 doubles, and
where every frame is painted. Smaller frames take as long, since flow is sought in as many pixels."""
PERIOD, SHORT_PERIOD = 16, 8
"""Frames between two key frames; over more, flow loses the shape of what moves."""
MANY_PIXELS = 2048 * 1152
"""In larger pictures the second holds, since the frames of two periods are in memory."""
KEY_FRAMES_A_PERIOD = 1.5
"""What motion makes of the one that there must be, in a usual video."""

Report = Callable[[int, int], None]
"""Told after each frame how many are done, of how many."""


@dataclass(frozen=True)
class Workshop:
    """Everything needed to paint frames for one request, which stay as they are where nothing paints.

    trials: what it paints with on this machine, to see how long that takes; workers: frames painted at once.
    """

    picture: Picture
    painter: Painter | None = None
    trials: tuple[Paint, ...] = ()
    workers: int = 1
    steady: Steady | None = None

    @classmethod
    def open(
        cls,
        request: Request,
        video: Video,
        threads: int,
        painter: Painter | None = None,
        where: Where | None = None,
    ) -> "Workshop":
        """Load the request's filters for a video, to be used with `threads` threads in all.

        painter: paints in the place of the filters' own engines; where: gives the masks of frames, in order. Raises
        Refused for a remote filter without a painter.
        """
        size = request.painted_size(video.upright_size)
        if not request.paints:
            return cls(Picture(working_format(video.pixel_format), size))
        picture = Picture(rgb_format(stored_picture(request, video).pixel_format), size)
        if painter is not None:
            return cls(picture, _laying(painter, request.strength, request.keep_colours, where))
        at_once = min(threads, IN_FLIGHT)
        bare, strength, trials = paint_of(request, video, threads, at_once)
        steady = steady_of(request, picture)
        if steady or where:
            by_itself = _overlapping(lambda index, frame: bare(index, chain.bare(frame)), at_once)
            whole = _steadying(by_itself, steady, at_once) if steady else by_itself
            painter = _laying(whole, strength, request.keep_colours, where)
        else:
            painter = _overlapping(chain.over(bare, strength, request.keep_colours), at_once)
        return cls(picture, painter, trials, at_once, steady)

    def frames(
        self, track: Track, pts: list[int], first: int, wanted: Iterable[int], complaint: Complaint | None = None
    ) -> Iterator[tuple[int, Frame, Frame]]:
        """Yield (index, source frame, painted frame) for each wanted frame.

        pts: timestamps of all frames of `track` from index `first` on that lie between the wanted ones.
        """
        return self.painted(self.decoded(track, pts, first, wanted, complaint))

    def painted(self, frames: Iterable[tuple[int, Frame]]) -> Iterator[tuple[int, Frame, Frame]]:
        """Yield (index, frame, painted frame) for each (index, frame)."""
        if self.painter is not None:
            yield from self.painter(frames)
        else:
            yield from ((index, frame, frame) for index, frame in frames)

    def decoded(
        self, track: Track, pts: list[int], first: int, wanted: Iterable[int], complaint: Complaint | None = None
    ) -> Iterator[tuple[int, Frame]]:
        """Yield (index, frame) for each wanted frame as it is in the source."""
        chosen = set(wanted)
        frames = enumerate(decode(track, self.picture, pts, complaint), first)
        return ((index, frame) for index, frame in frames if index in chosen)

    def seconds_a_frame(self) -> float:
        """Measured work for one frame of this picture, in seconds, from a small trial scaled by its pixels."""
        width, height = self.picture.size
        copying = width * height * COPY_SECONDS_A_PIXEL
        if not self.trials:
            return copying
        trial = np.random.default_rng(0).integers(0, 256, (TRIAL[1], TRIAL[0], 3), np.uint8)
        seconds = max(best_seconds(paint, trial) for paint in self.trials) / self.workers
        painting = seconds * width * height / (TRIAL[0] * TRIAL[1])
        if self.steady is None:
            return copying + painting
        share, carrying = 1.0, CARRY_SECONDS_A_PIXEL
        if self.steady.alone:
            share = KEY_FRAMES_A_PERIOD / self.steady.period
            carrying = KEYS_CARRY_SECONDS_A_PIXEL * (1 + self.steady.dial)
        pixels = max(width * height, TRIAL[0] * TRIAL[1])
        return copying + painting * share + pixels * carrying / self.workers


def seconds_a_frame(request: Request, video: Video, threads: int) -> float:
    """Work for one frame of the request, in seconds: measured for a filter here, as the catalogue says for others."""
    remote = request.texture.remote if request.paints else None
    if remote:
        return remote.frame_seconds / REMOTE_CALLS
    return Workshop.open(request, video, threads).seconds_a_frame()


def steady_of(request: Request, picture: Picture) -> Steady | None:
    """How the request's paint is kept steady in frames that look like this, if it is."""
    if not request.is_steady:
        return None
    return Steady(PERIOD if picture.pixels <= MANY_PIXELS else SHORT_PERIOD, request.steady, request.key_frames)


def _steadying(painter: Painter, steady: Steady, workers: int) -> Painter:
    return lambda frames: steadied(frames, painter, steady, workers)


def _overlapping(paint: Timed, workers: int) -> Painter:
    return lambda frames: overlapped(paint, frames, workers)


def _laying(painter: Painter, strength: float, keep_colours: bool, where: Where | None) -> Painter:
    """The painter, with the source's transparency, and its colours and its own self mixed in as the request wants."""

    def painted(frames: Iterable[tuple[int, Frame]]) -> Iterator[tuple[int, Frame, Frame]]:
        for index, frame, bare in painter(frames):
            yield index, frame, chain.laid(frame, bare, strength, keep_colours, where(index) if where else None)

    return painted


def best_seconds(paint: Paint, frame: Frame) -> float:
    """What painting a frame takes, the best of some trials."""
    took = []
    for _ in range(TRIALS):
        start = time.perf_counter()
        paint(frame)
        took.append(time.perf_counter() - start)
    return min(took)


def stored_picture(request: Request, video: Video) -> Picture:
    """What painted frames look like when they are stored, for the request's output format."""
    target = formats.get(request.format)
    size = request.painted_size(video.upright_size)
    pixel_format = request.pixel_format or nearest(video.pixel_format, target.pixel_formats)
    return Picture(pixel_format, size if target.odd_sizes else even(size))


def lossless_picture(request: Request, video: Video) -> Picture:
    """What painted frames look like when they are stored without loss: unpainted ones as in the source."""
    if request.paints:
        return stored_picture(request, video)
    return Picture(working_format(video.pixel_format), request.painted_size(video.upright_size))


def encoder(path: Path, frames: Picture, output: Output, video: Video) -> AbstractContextManager[TimedFrames]:
    """A writer of frames into a painted chunk: in the output's codec, or without loss if that cannot be joined."""
    if output.target.joined:
        return encode(path, frames, output.stored, output.timeline.tick, video, output.encoder)
    return encode_lossless(path, frames, output.stored, output.timeline.tick, video.colour)


def painted_track(path: Path, output: Output, video: Video) -> Track:
    """How to read a painted chunk."""
    held = output.stored.pixel_format
    pixel_format = held if output.target.joined else file_format(held)
    return Track(path, OWN, 0, output.timeline.tick, pixel_format, output.stored.size, video.colour)


def even(size: tuple[int, int]) -> tuple[int, int]:
    """The size without an odd last column or row, which 4:2:0 cannot hold."""
    return (max(2, size[0] // 2 * 2), max(2, size[1] // 2 * 2))


def show(shown: Sequence[tuple[int, int]], painted: Iterable[tuple[int, Frame]], timed: TimedFrames) -> Iterator[int]:
    """Write each painted frame at every time that it is shown; yields how many are done.

    shown: (frame, timestamp), ascending. Raises Mismatch if one that is shown never comes.
    """
    times = iter(shown)
    following = next(times, None)
    for done, (index, frame) in enumerate(painted, 1):
        while following is not None and following[0] == index:
            timed.write(following[1], frame)
            following = next(times, None)
        yield done
    if following is not None:
        raise Mismatch(f"Frame {following[0]} was never painted.")


def overlapped(paint: Timed, frames: Iterable[tuple[int, Frame]], workers: int) -> Iterator[tuple[int, Frame, Frame]]:
    """Paint in threads and yield (index, frame, painted frame) in order; only a few frames exist at any time."""
    waiting: deque[tuple[int, Frame, Future[Frame]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for index, frame in frames:
                waiting.append((index, frame, pool.submit(paint, index, frame)))
                if len(waiting) > workers + 1:
                    yield _first(waiting)
            while waiting:
                yield _first(waiting)
        finally:
            pool.shutdown(cancel_futures=True)


def _first(waiting: deque[tuple[int, Frame, Future[Frame]]]) -> tuple[int, Frame, Frame]:
    index, frame, future = waiting.popleft()
    return index, frame, future.result()
