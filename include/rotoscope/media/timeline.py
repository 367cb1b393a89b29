"""The timeline of a request: which frame of the source is shown when, and which frames that takes."""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from rotoscope.errors import Refused
from rotoscope.media import timing
from rotoscope.media.video import Video

FINEST = 2**31 - 1
"""Ticks a second that containers can hold."""


@dataclass(frozen=True)
class Timeline:
    """What the painted video shows.

    tick: seconds a tick; shown: (frame of the source, timestamp in ticks), ascending, a frame once or several times;
    last_duration: ticks that the last one is shown; part: (start, end) in seconds on the source's clock where only a
    part was asked for, None for the whole.
    """

    tick: Fraction
    shown: list[tuple[int, int]]
    last_duration: int
    part: tuple[Fraction, Fraction] | None

    @cached_property
    def frames(self) -> list[int]:
        """The frames of the source that must be painted, ascending, each once."""
        return sorted({frame for frame, _ in self.shown})


def plan_timeline(video: Video, start: Fraction | None, end: Fraction | None, rate: Fraction | None) -> Timeline:
    """The timeline for a part of a video at a frame rate; None means from the start, to the end, as it is.

    The whole video keeps its timestamps to the tick, counted from its origin; a part is moved so that it starts at
    zero.
    Raises Refused if no frame lies in the part.
    """
    pts = video.pts
    part = timing.between(pts, video.tick, start, end)
    length = (pts[-1] + video.last_duration - pts[0]) * video.tick
    if not part or (start is not None and start >= max(length, video.tick)):
        raise Refused(
            f"{video.name} has no frame from {_said(start, 'its start')} to {_said(end, 'its end')}; "
            f"it lasts {float(length):.2f} s, so choose a part within that."
        )
    until = pts[part.stop] if part.stop < len(pts) else pts[-1] + video.last_duration
    if end is not None and (until - pts[0]) * video.tick - end > timing.LONG:
        until = pts[0] + math.ceil(end / video.tick)  # a picture that is shown for long ends with the part
    whole = len(part) == len(pts)
    asked = pts[0] if start is None else pts[0] + int(start / video.tick)
    origin = video.origin if whole else max(pts[part.start], asked)
    moved = [pts[frame] - origin for frame in part]
    if not whole:
        moved[0] = max(moved[0], 0)
    last_duration = until - max(pts[part[-1]], origin)
    window = None if whole else (origin * video.tick, until * video.tick)
    if rate is None:
        return Timeline(video.tick, list(zip(part, moved, strict=True)), last_duration, window)
    tick = timing.common_tick(video.tick, rate)
    if tick.denominator > FINEST:
        raise Refused(f"{video.name} cannot be shown at {float(rate):g} frames/s exactly; ask for a rounder number.")
    timing.refuse_if_too_many(float((until - origin) * video.tick * rate))
    shown = [(part.start + at, when) for at, when in timing.resample(moved, last_duration, video.tick, rate)]
    return Timeline(tick, shown, int(1 / rate / tick), window)


def _said(second: Fraction | None, otherwise: str) -> str:
    return otherwise if second is None else f"{float(second):g} s"
