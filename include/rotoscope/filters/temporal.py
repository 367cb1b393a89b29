"""Steady paint: what is painted on key frames is carried along the source's optical flow to the frames between them.

A feed-forward filter paints each frame by itself, and the slightest change gives it other strokes: it flickers. Here
the video has a key frame every `period`, and the frames between two of them take their paint from both: from the one
that shows the same thing, from the nearer one where both do, and only half way does one give over to the other, with
the contrast that mixing loses put back. What neither shows is painted anew, in one more key frame, which keeps the
carried paint everywhere else. A frame depends on its own period alone, whatever chunk it is in.

Compare Jamriska et al., Stylizing Video by Example (SIGGRAPH 2019), who carry key frames from both sides, and Ruder et
al., Artistic Style Transfer for Videos (GCPR 2016), who start each frame from the one before.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rotoscope.engines import Painter
from rotoscope.flow import Flow, Grey, Mask, flow, grey_of, inside, visible, warped
from rotoscope.media.track import Frame

WIDEST = 320
"""Flow is sought in frames made this small, which is fast, and finds far motion better."""
UNSEEN = 0.02
"""Of a frame, this share may be in neither key frame; otherwise it becomes one itself."""
DIFFERENT = 24
"""Levels of 255 that light may differ by in pixels which flow says are the same."""
DOUBTFUL, WRONG = 0.05, 1e-4
"""How much a pixel counts that looks the same but is not led home, and one that looks different."""
NEAR = 0.25
"""Up to this share of the way from one key frame to the next, the nearer one alone gives the paint."""
SOFT = (3, 3)
"""Pixels over which one paint gives over to another, where flow is sought."""
STROKES = 31
"""Pixels of a frame 640 wide within which contrast is measured and put back."""
LEAST = 0.02
"""Shares below this one are not worth a second picture."""

Share = NDArray[np.float32]
"""(height, width), 0 to 1."""


@dataclass(frozen=True)
class _Seen:
    """A frame, and its light as flow looks at it."""

    index: int
    frame: Frame
    grey: Grey


@dataclass(frozen=True)
class _Step:
    """From a frame to its neighbour: where its pixels are there, and which of them are to be seen."""

    flow: Flow
    shown: Mask


@dataclass(frozen=True)
class _Path:
    """From a frame to a key frame: where its pixels are there, and which of them look the same, or are led home."""

    flow: Flow
    same: Mask
    shown: Mask

    @property
    def trust(self) -> Share:
        return np.where(self.same, np.where(self.shown, np.float32(1), np.float32(DOUBTFUL)), np.float32(WRONG))


@dataclass(frozen=True)
class _Stretch:
    """Frames from one key frame to another.

    paths: from each frame between to the first and to the last; halves: what one more key frame divides it into.
    """

    seen: list[_Seen]
    paths: list[tuple[_Path, _Path]]
    halves: "tuple[_Stretch, _Stretch] | None" = None

    @property
    def keys(self) -> Iterator[_Seen]:
        """The key frames between its ends."""
        if self.halves:
            first, second = self.halves
            yield from first.keys
            yield second.seen[0]
            yield from second.keys


def steadied(
    frames: Iterable[tuple[int, Frame]], painter: Painter, period: int, dial: float | None, workers: int
) -> Iterator[tuple[int, Frame, Frame]]:
    """Paint frames steadily; gives (index, frame, painted RGB frame) in order.

    frames: from a multiple of `period` on; dial: how much of the carried paint is taken, 0..1, beside that which every
    frame is painted with; None paints key frames alone.
    """
    stretches: deque[_Stretch] = deque()
    fresh: dict[int, Frame] = {}
    with ThreadPoolExecutor(workers) as pool:
        for index, frame, painted in painter(_to_paint(frames, period, dial, pool, stretches)):
            fresh[index] = painted
            if index == stretches[0].seen[-1].index:
                stretch = stretches.popleft()
                ends = fresh[stretch.seen[0].index], painted
                yield from _between(stretch, ends, fresh, dial, pool)
                yield index, frame, painted
                fresh = {index: painted}


def to_paint(frames: Iterable[tuple[int, Frame]], period: int, dial: float | None) -> Iterator[tuple[int, Frame]]:
    """Those of the frames that `steadied` has painted."""
    with ThreadPoolExecutor(1) as pool:
        yield from _to_paint(frames, period, dial, pool, deque())


def _to_paint(
    frames: Iterable[tuple[int, Frame]],
    period: int,
    dial: float | None,
    pool: ThreadPoolExecutor,
    stretches: deque[_Stretch],
) -> Iterator[tuple[int, Frame]]:
    for seen in _periods(frames, period):
        stretch = _stretch(seen, list(pool.map(_steps, seen[:-1], seen[1:])))
        stretches.append(stretch)
        between = stretch.keys if dial is None else seen[1:-1]
        yield from ((one.index, one.frame) for one in [*between, seen[-1]])


def _periods(frames: Iterable[tuple[int, Frame]], period: int) -> Iterator[list[_Seen]]:
    """The first frame by itself, and then the frames from each key frame to the next one or to the end."""
    held: list[_Seen] = []
    for index, frame in frames:
        first = not held
        held.append(_Seen(index, frame, grey_of(frame, WIDEST)))
        if first or len(held) > period:
            yield held
            held = held[-1:]
    if len(held) > 1:
        yield held


def _steps(here: _Seen, there: _Seen) -> tuple[_Step, _Step]:
    on, back = flow(here.grey, there.grey), flow(there.grey, here.grey)
    return _Step(on, visible(on, back)), _Step(back, visible(back, on))


def _stretch(seen: list[_Seen], steps: list[tuple[_Step, _Step]]) -> _Stretch:
    """A stretch, with another key frame where most is unseen in its ends, if that is too much.

    steps: from each frame to the next one, and back.
    """
    before = _paths(seen, [back for _, back in steps])
    after = _paths(seen[::-1], [on for on, _ in steps[::-1]])[::-1]
    paths = list(zip(before[:-1], after[1:], strict=True))
    unseen = [1 - (first.same | last.same).mean() for first, last in paths]
    if not unseen or max(unseen) <= UNSEEN:
        return _Stretch(seen, paths)
    place = 1 + int(np.argmax(unseen))
    halves = _stretch(seen[: place + 1], steps[:place]), _stretch(seen[place:], steps[place:])
    return _Stretch(seen, paths, halves)


def _paths(seen: list[_Seen], steps: list[_Step]) -> list[_Path]:
    """The paths of all others to the first frame. steps: from each of the others to the one before it."""
    found: list[_Path] = []
    for one, step in zip(seen[1:], steps, strict=True):
        whole, shown = step.flow, step.shown
        if found:
            whole = step.flow + warped(found[-1].flow, step.flow)
            shown = step.shown & (warped(found[-1].shown.astype(np.uint8), step.flow) > 0)
        gap = cv2.absdiff(cv2.blur(one.grey, SOFT), cv2.blur(warped(seen[0].grey, whole), SOFT))
        found.append(_Path(whole, (gap <= DIFFERENT) & inside(whole), shown))
    return found


def _between(
    stretch: _Stretch, ends: tuple[Frame, Frame], fresh: dict[int, Frame], dial: float | None, pool: ThreadPoolExecutor
) -> Iterator[tuple[int, Frame, Frame]]:
    """The frames between a stretch's ends, whose paint is `ends`. fresh: what was painted, by index."""

    def carried(place: int) -> Frame:
        seen, share = stretch.seen[place], _eased(place / (len(stretch.seen) - 1))
        return _carried(seen.frame, ends, stretch.paths[place - 1], share, fresh.get(seen.index), dial)

    if stretch.halves:
        first, second = stretch.halves
        key, middle = second.seen[0], carried(len(first.seen) - 1)
        yield from _between(first, (ends[0], middle), fresh, dial, pool)
        yield key.index, key.frame, middle
        yield from _between(second, (middle, ends[1]), fresh, dial, pool)
    else:
        inner = range(1, len(stretch.seen) - 1)
        for place, picture in zip(inner, pool.map(carried, inner), strict=True):
            yield stretch.seen[place].index, stretch.seen[place].frame, picture


def _carried(
    frame: Frame,
    ends: tuple[Frame, Frame],
    paths: tuple[_Path, _Path],
    share: float,
    fresh: Frame | None,
    dial: float | None,
) -> Frame:
    """A frame's paint out of that of its stretch's ends, and its own where neither shows it. share: of the last end."""
    size = frame.shape[1], frame.shape[0]
    first, last = (1 - share) * paths[0].trust, share * paths[1].trust
    second = cv2.blur(last / (first + last), SOFT)
    if second.max() < LEAST:
        picture = _moved(ends[0], paths[0], size)
    elif second.min() > 1 - LEAST:
        picture = _moved(ends[1], paths[1], size)
    else:
        picture = _mixed(_moved(ends[0], paths[0], size), _moved(ends[1], paths[1], size), _enlarged(second, size))
    if fresh is None:
        return picture
    kept = np.where(paths[0].same | paths[1].same, np.float32(1 if dial is None else dial), np.float32(0))
    return _mixed(fresh, picture, _enlarged(cv2.blur(kept, SOFT), size))


def _eased(place: float) -> float:
    """How much of the last key frame is taken, this share of the way from the first; a little even where it is far."""
    t = min(1.0, max(0.0, (place - NEAR) / (1 - 2 * NEAR)))
    return min(1 - 1e-3, max(1e-3, t * t * (3 - 2 * t)))


def _enlarged(share: Share, size: tuple[int, int]) -> Share:
    return np.asarray(cv2.resize(share, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _moved(painted: Frame, path: _Path, size: tuple[int, int]) -> Frame:
    """A key frame's paint where this frame shows the same things."""
    rows, columns = path.flow.shape[:2]
    scale = np.array([size[0] / columns, size[1] / rows], np.float32)
    return warped(painted, cv2.resize(path.flow, size, interpolation=cv2.INTER_LINEAR) * scale, cv2.INTER_CUBIC)


def _mixed(one: Frame, other: Frame, share: Share) -> Frame:
    """Two pictures mixed, `share` of the other one, with as much contrast within strokes as they have."""
    kind = one.dtype
    if kind != np.uint8:
        one, other = one.astype(np.float32), other.astype(np.float32)
    mixed = cv2.blendLinear(one, other, 1 - share, share)
    around = (max(3, one.shape[1] * STROKES // 640) | 1,) * 2
    blurred, mean = cv2.blur(mixed, around), float(share.mean())
    had = (1 - mean) * _power(one, cv2.blur(one, around)) + mean * _power(other, cv2.blur(other, around))
    gain = min(1.5, max(1.0, (had / _power(mixed, blurred)) ** 0.5))
    result = cv2.addWeighted(mixed, gain, blurred, 1 - gain, 0)
    return result if kind == np.uint8 else (np.clip(result, 0, np.iinfo(kind).max) + 0.5).astype(kind)


def _power(picture: Frame, blurred: Frame) -> float:
    """Contrast within strokes, squared."""
    return float(np.square(picture[::4, ::4].astype(np.float32) - blurred[::4, ::4]).mean()) + 1e-6
