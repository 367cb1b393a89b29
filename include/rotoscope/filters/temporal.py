"""Steady paint: what is painted on key frames is carried along the source's optical flow to the frames between them.

A feed-forward filter paints each frame by itself, and the slightest change gives it other strokes: it flickers. Here
the video has a key frame every `period`, and the frames between two of them take their paint from both. Where too much
of a frame is in neither, it becomes a key frame itself: what is not in the others is painted anew, the rest keeps their
paint, and the frames on both sides of it have a nearer one to take theirs from. Where it is a thing that moves, a frame
half way does. Where every frame is painted by itself too, what neither key frame shows has the paint of the frame
before, or its own where it has just come to light. A frame depends on its own period alone, whatever chunk it is in.

Compare Jamriska et al., Stylizing Video by Example (SIGGRAPH 2019), who carry key frames from both sides, and Ruder et
al., Artistic Style Transfer for Videos (GCPR 2016), who start each frame from the one before.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Self

import cv2
import numpy as np

from rotoscope.engines import Painter
from rotoscope.filters.carrying import SOFT, Carry, Paint, Path, Planes, eased
from rotoscope.flow import Flow, Grey, Mask, flow, grey_of, inside, inverse, strained, visible, warped
from rotoscope.media.track import Frame

SHARE, KEYS_SHARES = 0.4, (0.25, 0.45)
"""Flow is sought in frames that are made so many times as wide and high; with key frames alone for a dial of 0, where
speed counts, and of 1, by which they are as steady as what is painted frame by frame too."""
SMALL, LARGE = 640, 1280
"""For that, the longer side of a frame is taken to have so many pixels at least, and at most."""
UNSEEN = 0.12
"""Of a frame, this share may be in neither key frame; otherwise it becomes one itself."""
THING, LOST = 0.075, 0.6
"""So may this share of a square so many times as wide as a frame; otherwise people walk without heads."""
SHORT = 12
"""Frames between two key frames that are near enough for flow to follow people, as well as it can."""
DIFFERENT = 24
"""Levels of 255 that light may differ by in pixels which flow says are the same."""
CUT = 0.6
"""Where less of a frame is in the next one, the scene is cut, and what looks the same on the other side is not."""
STRAINED = 1.0
"""Paint is not carried where flow stretches it by so much of its length."""
ALIKE = (5, 5)
"""Pixels of which most must look the same as well, so that none does by chance."""


@dataclass(frozen=True)
class Steady:
    """How frames are kept steady.

    period: frames from one key frame to the next, more of them where they are needed; alone: whether key frames alone
    are painted. dial, 0..1: if so, from fast to as steady as can be; otherwise how much of the carried paint is taken,
    beside that which every frame is painted with.
    """

    period: int
    dial: float
    alone: bool

    def widest(self, frame: Frame) -> int:
        """Pixels of a side of what flow is sought in instead of this frame, at most."""
        side = float(min(LARGE, max(SMALL, frame.shape[0], frame.shape[1])))
        fast, steady = KEYS_SHARES
        return round(side * (fast + (steady - fast) * self.dial if self.alone else SHARE))

    def around(self, places: range, frames: int) -> range:
        """The places, of so many frames, that these places depend on: up to the key frames on both sides."""
        last = -(-(places.stop - 1) // self.period) * self.period
        return range(places.start // self.period * self.period, min(last + 1, frames))

    def over(self, fresh: Frame | None, steady: Frame) -> Frame:
        """Steady paint, alone or as much of it as the dial says over what was painted for the frame."""
        if self.alone or fresh is None:
            return steady
        return np.asarray(cv2.addWeighted(fresh, 1 - self.dial, steady, self.dial, 0), steady.dtype)


@dataclass(frozen=True)
class _Seen:
    """A frame, its light as flow looks at it, and that blurred, by which places are compared."""

    index: int
    frame: Frame
    grey: Grey
    soft: Grey

    @classmethod
    def of(cls, index: int, frame: Frame, widest: int) -> Self:
        grey = grey_of(frame, widest)
        return cls(index, frame, grey, np.asarray(cv2.blur(grey, SOFT), np.uint8))


@dataclass(frozen=True)
class _Step:
    """From a frame to its neighbour: where its pixels are there, and which of them are to be seen."""

    flow: Flow
    shown: Mask


@dataclass(frozen=True)
class _Between:
    """A frame between two key frames, and the way to its paint from them; a key frame has paint of its own, too.

    back: from it to the frame before.
    """

    seen: _Seen
    carry: Carry
    back: _Step
    is_key: bool = False


@dataclass(frozen=True)
class _Stretch:
    """Frames from one key frame to the next; inner ones come after the key frames that they depend on."""

    first: _Seen
    inner: list[_Between]
    last: _Seen


def steadied(
    frames: Iterable[tuple[int, Frame]], painter: Painter, steady: Steady, workers: int
) -> Iterator[tuple[int, Frame, Frame]]:
    """Paint frames steadily; gives (index, frame, painted RGB frame) in order.

    frames: from a key frame on; workers: threads that carry paint, beside the painter's.
    """
    stretches: deque[_Stretch] = deque()
    fresh: dict[int, Frame] = {}
    paints: dict[int, Future[Paint]] = {}
    with ThreadPoolExecutor(workers) as pool:
        for index, _, painted in painter(_to_paint(frames, steady, pool, stretches)):
            fresh[index] = painted
            if index == stretches[0].last.index:
                paints[index] = pool.submit(Paint.of, painted)
                yield from _finished(stretches.popleft(), fresh, paints, steady, pool)
                fresh, paints = {}, {index: paints[index]}


def _finished(
    stretch: _Stretch,
    fresh: dict[int, Frame],
    paints: dict[int, Future[Paint]],
    steady: Steady,
    pool: ThreadPoolExecutor,
) -> Iterator[tuple[int, Frame, Frame]]:
    """The stretch's frames after its first one, which another stretch ends with.

    fresh: painted ones, by index; paints: what is carried, by index, to which that of inner key frames is added.
    """

    def paint_of(index: int) -> Paint:
        return paints[index].result()

    def carried(one: _Between) -> Planes:
        return one.carry.carried(paint_of)

    def key(one: _Between) -> Paint:
        return Paint.of(fresh[one.seen.index]).beneath(carried(one), one.carry.shown)

    def planes_of(one: _Between) -> Planes:
        return paint_of(one.seen.index).planes if one.is_key else carried(one)

    for one in stretch.inner:  # in such an order that no thread waits for what has not begun
        if one.is_key:
            paints[one.seen.index] = pool.submit(key, one)
    before = paint_of(stretch.first.index).planes
    inner = sorted(stretch.inner, key=lambda one: one.seen.index)
    for one, planes in zip(inner, pool.map(planes_of, inner), strict=True):
        own = fresh.get(one.seen.index)
        if own is None or one.is_key:
            before = planes
        else:
            paint = Paint.of(own)
            filled = paint.planes.beneath(before.along(one.back.flow), one.back.shown)
            before = filled.beneath(planes, one.carry.shown)
            # What goes from frame to frame is not sharpened, or it would become ever sharper.
            planes = before.sharpened(paint.sharpness)
        yield one.seen.index, one.seen.frame, steady.over(own, planes.picture)
    # With colours as coarse as those of carried paint, since a change of that would be seen.
    last = paint_of(stretch.last.index).planes.picture
    yield stretch.last.index, stretch.last.frame, steady.over(fresh[stretch.last.index], last)


def _to_paint(
    frames: Iterable[tuple[int, Frame]], steady: Steady, pool: ThreadPoolExecutor, stretches: deque[_Stretch]
) -> Iterator[tuple[int, Frame]]:
    """Those of the frames that need a painter, in order; the stretches between them are added to `stretches`."""
    for seen in _periods(frames, steady):
        inner = list(_inner(seen, list(pool.map(_steps, seen[:-1], seen[1:])), pool))
        stretches.append(_Stretch(seen[0], inner, seen[-1]))
        painted = {one.seen.index for one in inner if one.is_key or not steady.alone} | {seen[-1].index}
        yield from ((one.index, one.frame) for one in seen if one.index in painted)


def _periods(frames: Iterable[tuple[int, Frame]], steady: Steady) -> Iterator[list[_Seen]]:
    """The first frame by itself, and then the frames from each key frame to the next one or to the end."""
    held: list[_Seen] = []
    for index, frame in frames:
        first = not held
        held.append(_Seen.of(index, frame, steady.widest(frame)))
        if first or len(held) > steady.period:
            yield held
            held = held[-1:]
    if len(held) > 1:
        yield held


def _steps(here: _Seen, there: _Seen) -> tuple[_Step, _Step]:
    on = flow(here.grey, there.grey)
    back = inverse(on)
    steps = _step(here, there, on, back), _step(there, here, back, on)
    if min(step.shown.mean() for step in steps) < CUT:
        for step in steps:
            step.shown[:] = False
    return steps


def _step(here: _Seen, there: _Seen, out: Flow, back: Flow) -> _Step:
    return _Step(out, visible(out, back) & _alike(here, there, out))


def _alike(here: _Seen, there: _Seen, flow: Flow) -> Mask:
    """Where a frame looks like another one at the place, within that, to which flow leads."""
    gap = cv2.absdiff(here.soft, warped(there.soft, flow))
    return np.asarray((gap <= DIFFERENT) & inside(flow))


def _inner(seen: list[_Seen], steps: list[tuple[_Step, _Step]], pool: ThreadPoolExecutor) -> Iterator[_Between]:
    """The frames between two key frames. steps: from each frame to the next one, and back."""
    before, after = _both_paths(seen, 0, len(steps), steps, pool)
    yield from _split(seen, steps, before, after, pool)


def _split(
    seen: list[_Seen],
    steps: list[tuple[_Step, _Step]],
    before: list[Path],
    after: list[Path],
    pool: ThreadPoolExecutor,
) -> Iterator[_Between]:
    """The frames between two key frames, with as many more of those among them as must be.

    before, after: the paths of all other frames to the first key frame, and to the last one.
    """
    keys = seen[0].index, seen[-1].index
    shares = [eased(place / len(steps)) for place in range(1, len(steps))]
    pairs = zip(before[:-1], after[1:], strict=True)
    carries = [Carry(keys, pair, share) for pair, share in zip(pairs, shares, strict=True)]
    backs = [back for _, back in steps[:-1]]
    inner = [_Between(*parts) for parts in zip(seen[1:-1], carries, backs, strict=True)]
    missing = _missing(carries)
    if missing is None:
        yield from inner
        return
    place = 1 + missing
    yield replace(inner[missing], is_key=True)
    behind, ahead = _both_paths(seen, place, place, steps, pool)
    yield from _split(seen[: place + 1], steps[:place], before[:place], ahead, pool)
    yield from _split(seen[place:], steps[place:], behind, after[place:], pool)


def _missing(carries: list[Carry]) -> int | None:
    """Which frame between two key frames must be one itself, by its place among `carries`; None if these do.

    It is the one of which most is lost, if that is too much, or else the one nearest to half way that lost a thing,
    since that is near to all others.
    """
    lost = [float((~carry.shown).mean()) for carry in carries]
    if max(lost, default=0) > UNSEEN:
        return int(np.argmax(lost))
    if len(carries) < SHORT:
        return None
    things = [place for place, carry in enumerate(carries) if _loses_a_thing(carry)]
    return min(things, key=lambda place: abs(2 * place + 1 - len(carries)), default=None)


def _loses_a_thing(carry: Carry) -> bool:
    """Whether neither of two key frames shows something that is in a frame between them."""
    lost = (~carry.shown).astype(np.float32)
    return float(cv2.blur(lost, (round(THING * max(lost.shape)),) * 2).max()) > LOST


def _both_paths(
    seen: list[_Seen], first: int, last: int, steps: list[tuple[_Step, _Step]], pool: ThreadPoolExecutor
) -> tuple[list[Path], list[Path]]:
    """The paths of all frames after the one at `first` to that one, and of all before the one at `last` to that one."""
    backs, ons = [back for _, back in steps[first:]], [on for on, _ in steps[:last]]
    behind, ahead = pool.map(_paths, (seen[first:], seen[last::-1]), (backs, ons[::-1]))
    return behind, ahead[::-1]


def _paths(seen: list[_Seen], steps: list[_Step]) -> list[Path]:
    """The paths of all others to the first frame. steps: from each of the others to the one before it."""
    found: list[Path] = []
    for one, step in zip(seen[1:], steps, strict=True):
        whole, shown = step.flow, step.shown
        if found:
            whole = step.flow + warped(found[-1].flow, step.flow)
            shown = step.shown & (warped(found[-1].shown.astype(np.uint8), step.flow) > 0)
        same = _alike(one, seen[0], whole) & ~strained(whole, STRAINED) if shown.any() else shown
        found.append(Path(whole, same & (cv2.blur(same.astype(np.float32), ALIKE) > 0.5), shown))
    return found
