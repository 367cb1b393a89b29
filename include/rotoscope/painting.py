"""Painting: frames out of a track, through the filter, in order. The same code for one chunk and for a whole video."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from rotoscope.engines import Paint
from rotoscope.errors import Mismatch
from rotoscope.filters import catalogue, chain
from rotoscope.media.decode import decode
from rotoscope.media.deliver import even
from rotoscope.media.encode import TimedFrames
from rotoscope.media.pixels import RGB, working_format
from rotoscope.media.timeline import Timeline
from rotoscope.media.track import Frame, Picture, Track
from rotoscope.media.video import Video
from rotoscope.request import Request

IN_FLIGHT = 2
"""Frames painted at once, so that one's conversion overlaps the other's inference."""
TRIAL = (640, 360)
TRIALS = 4
"""The first also pays for memory, and others may wait for a busy processor, so the best one counts."""
COPY_SECONDS_A_PIXEL = 1.5e-8
"""Decoding and encoding losslessly, for all filters: 70 frames of 720p a second."""

Report = Callable[[int, int], None]
"""Told after each frame how many are done, of how many."""


@dataclass(frozen=True)
class Workshop:
    """Everything needed to paint frames for one request; `paint` is None if the frames stay as they are."""

    picture: Picture
    paint: Paint | None
    workers: int

    @classmethod
    def open(cls, request: Request, video: Video, threads: int) -> "Workshop":
        """Load the request's filter for a video, to be used with `threads` threads in all."""
        size = request.painted_size(video.upright_size)
        if not request.paints:
            return cls(Picture(working_format(video.pixel_format), size), None, 1)
        filter = catalogue.get(request.filter)
        paint = chain.load(filter, request.strength, request.keep_colours, max(1, threads // IN_FLIGHT))
        return cls(Picture(RGB, size), paint, min(threads, IN_FLIGHT))

    def frames(self, track: Track, pts: list[int], first: int, wanted: Iterable[int]) -> Iterator[tuple[int, Frame]]:
        """Yield (index, painted frame) for each wanted frame.

        pts: timestamps of all frames of `track` from index `first` on that lie between the wanted ones.
        """
        chosen = set(wanted)
        decoded = (
            (index, frame) for index, frame in enumerate(decode(track, self.picture, pts), first) if index in chosen
        )
        if self.paint is None:
            yield from decoded
        else:
            yield from overlapped(self.paint, decoded, self.workers)

    def seconds_a_frame(self) -> float:
        """Measured work for one frame of this picture, in seconds, from a small trial scaled by its pixels."""
        width, height = self.picture.size
        copying = width * height * COPY_SECONDS_A_PIXEL
        if self.paint is None:
            return copying
        trial = np.random.default_rng(0).integers(0, 256, (TRIAL[1], TRIAL[0], 3), np.uint8)
        seconds = min(_seconds(self.paint, trial) for _ in range(TRIALS)) / self.workers
        return copying + seconds * width * height / (TRIAL[0] * TRIAL[1])


def _seconds(paint: Paint, frame: Frame) -> float:
    start = time.perf_counter()
    paint(frame)
    return time.perf_counter() - start


def stored_picture(request: Request, video: Video, pixel_format: str) -> Picture:
    """What painted frames look like before the final encoding, when the output format wants `pixel_format`."""
    size = request.painted_size(video.upright_size)
    if not request.paints:
        return Picture(working_format(video.pixel_format), size)
    return Picture(pixel_format, even(size))


def show(timeline: Timeline, painted: Iterable[tuple[int, Frame]], timed: TimedFrames, report: Report) -> None:
    """Write each painted frame at every time that it is shown. Raises Mismatch if one that is shown never comes."""
    shown, total = iter(timeline.shown), len(timeline.frames)
    following = next(shown, None)
    for done, (index, frame) in enumerate(painted, 1):
        while following is not None and following[0] == index:
            timed.write(following[1], frame)
            following = next(shown, None)
        report(done, total)
    if following is not None:
        raise Mismatch(f"Frame {following[0]} was never painted.")


def overlapped(paint: Paint, frames: Iterable[tuple[int, Frame]], workers: int) -> Iterator[tuple[int, Frame]]:
    """Paint in threads and yield in order; only a few frames exist at any time."""
    waiting: deque[tuple[int, Future[Frame]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for index, frame in frames:
                waiting.append((index, pool.submit(paint, frame)))
                if len(waiting) > workers + 1:
                    index, future = waiting.popleft()
                    yield index, future.result()
            while waiting:
                index, future = waiting.popleft()
                yield index, future.result()
        finally:
            pool.shutdown(cancel_futures=True)
