"""Timestamps: kept as runs, chosen by time, moved to another frame rate. All in whole ticks, never in floats."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise

from rotoscope.errors import Refused
from rotoscope.limits import limits

Run = tuple[int, int, int]
"""(first timestamp, ticks between timestamps, how many)."""


LONG = Fraction(1, 10)
"""Seconds that a part does not begin without a picture."""


def compress(pts: Iterable[int]) -> list[Run]:
    """Runs that `expand` turns back into these ascending timestamps; one run for a constant frame rate."""
    runs: list[Run] = []
    for value in pts:
        if runs:
            first, step, count = runs[-1]
            if count == 1:
                runs[-1] = (first, value - first, 2)
                continue
            if value == first + step * count:
                runs[-1] = (first, step, count + 1)
                continue
        runs.append((value, 0, 1))
    return runs


def expand(runs: Iterable[Run]) -> list[int]:
    """Every timestamp that the runs stand for, in order."""
    return [first + step * index for first, step, count in runs for index in range(count)]


def between(pts: Sequence[int], tick: Fraction, start: Fraction | None, end: Fraction | None) -> range:
    """Indices of the frames shown from `start` to before `end`, in seconds after the first frame.

    The first is the next one from `start` on; where that is more than `LONG` away, the one that is shown meanwhile.
    """
    origin = pts[0] * tick
    first = 0 if start is None else bisect_left(pts, math.ceil((origin + start) / tick))
    if start is not None and first > 0 and (first == len(pts) or pts[first] * tick - origin - start > LONG):
        first -= 1
    last = len(pts) if end is None else bisect_left(pts, math.ceil((origin + end) / tick))
    return range(first, max(first, last))


def common_tick(tick: Fraction, rate: Fraction) -> Fraction:
    """The longest tick in which both `tick` and a frame at `rate` a second are whole numbers."""
    frame = 1 / rate
    return Fraction(
        math.gcd(tick.numerator * frame.denominator, frame.numerator * tick.denominator),
        tick.denominator * frame.denominator,
    )


def resample(pts: Sequence[int], last_duration: int, tick: Fraction, rate: Fraction) -> list[tuple[int, int]]:
    """(frame index, timestamp) of a constant `rate`: at each moment the frame that the source shows then.

    Timestamps are in ticks of `common_tick(tick, rate)` and start where the source starts. Frames may repeat or be
    left out; the length stays the same to within half an output frame.
    """
    fine = common_tick(tick, rate)
    scale = int(tick / fine)
    step = int(1 / rate / fine)
    begin = pts[0] * scale
    length = (pts[-1] + last_duration) * scale - begin
    count = max(1, round(Fraction(length, step)))
    return [
        (max(0, bisect_right(pts, (begin + step * index) // scale) - 1), begin + step * index) for index in range(count)
    ]


def clock(seconds: float) -> str:
    """`00:12`, or `1:00:12` from an hour on."""
    hours, rest = divmod(int(seconds), 3600)
    minutes, whole = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{whole:02}" if hours else f"{minutes:02}:{whole:02}"


def refuse_if_too_many(frames: float) -> None:
    """Raises Refused for more frames than a video may have."""
    if frames > limits().max_frames:
        raise Refused(f"That frame rate gives {frames:.0f} frames; the most is {limits().max_frames}; set fps lower.")


def refuse_if_too_dense(times: Sequence[int], tick: Fraction, coarse: str | None, title: str) -> None:
    """Raises Refused if ascending times in ticks are no longer apart when they are rounded to `coarse` seconds."""
    if coarse is None:
        return
    rounded = [round(when * tick / Fraction(coarse)) for when in times]
    if any(after <= before for before, after in pairwise(rounded)):
        raise Refused(
            f"{title} holds times of {coarse} s, and the video has frames closer than that; "
            f"set fps to {1 / Fraction(coarse) / 2} or less."
        )
