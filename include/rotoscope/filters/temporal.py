"""Steady paint: what is painted on key frames is carried along the source's optical flow to the frames between them.

A feed-forward filter paints each frame by itself, and the slightest change gives it other strokes: it flickers. Here
the video has a key frame every `period`, and the frames between two of them take their paint from both: from the one
that shows the same thing, from the nearer one where both do, and only half way does one give over to the other, with
the contrast that mixing loses put back. What neither shows is painted anew, in one more key frame, which keeps the
paint of the others everywhere else. A frame depends on its own period alone, whatever chunk it is in.

Compare Jamriska et al., Stylizing Video by Example (SIGGRAPH 2019), who carry key frames from both sides, and Ruder et
al., Artistic Style Transfer for Videos (GCPR 2016), who start each frame from the one before.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rotoscope.engines import Painter
from rotoscope.flow import Flow, Grey, Mask, flow, grey_of, inside, strain, visible, warped
from rotoscope.media.track import Frame

FAST_WIDEST, WIDEST = 320, 400
"""Flow is sought in frames made this small, which is fast, and finds far motion better: smaller where speed counts."""
UNSEEN = 0.12
"""Of a frame, this share may be in neither key frame; otherwise it becomes one itself."""
REST = 0.04
"""Of a frame, this share may be taken from a wrong place, where another pair of key frames would show it."""
DIFFERENT = 24
"""Levels of 255 that light may differ by in pixels which flow says are the same."""
STRAINED = 1.0
"""Paint is not carried where flow stretches it by so much of its length."""
DOUBTFUL, WRONG = 0.05, 1e-4
"""How much a pixel counts that looks the same but is not led home, and one that looks different."""
NEAR = 0.25
"""Up to this share of the way from one key frame to the next, the nearer one alone gives the paint."""
SOFT = (3, 3)
"""Pixels over which one paint gives over to another, where flow is sought."""
STROKES, FINE = 31, (3, 3)
"""Pixels of a frame 640 wide, and of any, within which contrast is measured and put back."""
ALIKE = (5, 5)
"""Pixels of which most must look the same as well, so that none does by chance."""
MOST_GAIN = 1.5
MIRRORED = cv2.BORDER_REFLECT_101
"""What is beyond the border of a key frame is more like its mirror image than like a streak."""
LEAST = 0.02
"""Shares below this one are not worth a second picture."""

Share = NDArray[np.float32]
"""(height, width), 0 to 1."""


@dataclass(frozen=True)
class Steady:
    """How frames are kept steady.

    period: frames from one key frame to the next, more of them where they are needed; dial: how much of the carried
    paint is taken, 0..1, beside that which every frame is painted with; None paints key frames alone.
    """

    period: int
    dial: float | None

    @property
    def widest(self) -> int:
        """Pixels of a side of the frames that flow is sought in, at most."""
        return FAST_WIDEST if self.dial is None else WIDEST

    def around(self, places: range, frames: int) -> range:
        """The places, of so many frames, that these places depend on: up to the key frames on both sides."""
        last = -(-(places.stop - 1) // self.period) * self.period
        return range(places.start // self.period * self.period, min(last + 1, frames))


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
class _Carry:
    """One way to a frame's paint: from the two key frames with these indices; share: of the last one."""

    keys: tuple[int, int]
    paths: tuple[_Path, _Path]
    share: float

    @property
    def shown(self) -> Mask:
        """What is to be seen in one of the two."""
        return self.paths[0].same | self.paths[1].same


@dataclass(frozen=True)
class _Between:
    """A frame between two key frames, and the ways to its paint, the best one first; a key frame has its own, too."""

    seen: _Seen
    carries: list[_Carry]
    is_key: bool


@dataclass(frozen=True)
class _Stretch:
    """Frames from one key frame to the next."""

    first: _Seen
    inner: list[_Between]
    last: _Seen


@dataclass(frozen=True)
class _Planes:
    """A picture as light, (height, width), and colours, (height / 2, width / 2, 2), of which the eye sees less."""

    light: Frame
    colours: Frame

    @classmethod
    def of(cls, picture: Frame) -> "_Planes":
        planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb), picture.dtype)
        height, width, _ = picture.shape
        half = (width + 1) // 2, (height + 1) // 2
        colours = cv2.resize(planes[..., 1:], half, interpolation=cv2.INTER_AREA)
        return cls(np.ascontiguousarray(planes[..., 0]), np.asarray(colours, picture.dtype))

    @property
    def picture(self) -> Frame:
        """RGB."""
        colours = cv2.resize(self.colours, self.light.shape[::-1], interpolation=cv2.INTER_LINEAR)
        planes = cv2.merge([self.light, *cv2.split(colours)])
        return np.asarray(cv2.cvtColor(planes, cv2.COLOR_YCrCb2RGB), self.light.dtype)

    def mixed(self, other: "_Planes", share: Share) -> "_Planes":
        """`share` of the other one, given for as many pixels as flow has."""
        pairs = ((self.light, other.light), (self.colours, other.colours))
        return _Planes(*(_mixed(one, two, _enlarged(share, one.shape[1::-1])) for one, two in pairs))

    def restored(self, had: float, around: tuple[int, int]) -> "_Planes":
        """With so much contrast of the light within `around` pixels, if it has less."""
        return _Planes(_restored(self.light, had, around), self.colours)


@dataclass(frozen=True)
class _Paint:
    """A key frame's paint; strokes, fine: its contrast within strokes and from pixel to pixel, squared."""

    picture: Frame
    planes: _Planes
    strokes: float
    fine: float

    @classmethod
    def of(cls, picture: Frame) -> "_Paint":
        planes = _Planes.of(picture)
        strokes, fine = (_contrast(planes.light, around) for around in (_strokes(picture), FINE))
        return cls(picture, planes, strokes, fine)

    def beside_carried(self, dial: float | None) -> Frame:
        """It with colours as coarse as those of carried paint, since a change of that would be seen."""
        return self.mixed(self.planes.picture, dial)

    def mixed(self, carried: Frame, dial: float | None) -> Frame:
        """Carried paint, as much of it as the dial says, or alone, over this."""
        if dial is None:
            return carried
        return np.asarray(cv2.addWeighted(self.picture, 1 - dial, carried, dial, 0), carried.dtype)

    def along(self, path: _Path) -> _Planes:
        """It where another frame shows the same things."""
        light, colours = self.planes.light, self.planes.colours
        return _Planes(
            warped(light, _scaled(path.flow, light), cv2.INTER_CUBIC, MIRRORED),
            warped(colours, _scaled(path.flow, colours), cv2.INTER_LINEAR, MIRRORED),
        )


def steadied(
    frames: Iterable[tuple[int, Frame]], painter: Painter, steady: Steady, workers: int
) -> Iterator[tuple[int, Frame, Frame]]:
    """Paint frames steadily; gives (index, frame, painted RGB frame) in order.

    frames: from a key frame on; workers: threads that carry paint, beside the painter's.
    """
    stretches: deque[_Stretch] = deque()
    fresh: dict[int, _Paint] = {}
    with ThreadPoolExecutor(workers) as pool:
        for index, frame, painted in painter(_to_paint(frames, steady, pool, stretches)):
            fresh[index] = _Paint.of(painted)
            if index == stretches[0].last.index:
                carried = partial(_carried, paints=fresh, dial=steady.dial)
                stretch = stretches.popleft()
                for one, picture in zip(stretch.inner, pool.map(carried, stretch.inner), strict=True):
                    yield one.seen.index, one.seen.frame, picture
                yield index, frame, fresh[index].beside_carried(steady.dial)
                fresh = {index: fresh[index]}


def _to_paint(
    frames: Iterable[tuple[int, Frame]], steady: Steady, pool: ThreadPoolExecutor, stretches: deque[_Stretch]
) -> Iterator[tuple[int, Frame]]:
    """Those of the frames that need a painter, in order; the stretches between them are added to `stretches`."""
    for seen in _periods(frames, steady):
        inner = _inner(seen, list(pool.map(_steps, seen[:-1], seen[1:])))
        stretches.append(_Stretch(seen[0], inner, seen[-1]))
        chosen = [one.seen for one in inner if one.is_key or steady.dial is not None]
        yield from ((one.index, one.frame) for one in [*chosen, seen[-1]])


def _periods(frames: Iterable[tuple[int, Frame]], steady: Steady) -> Iterator[list[_Seen]]:
    """The first frame by itself, and then the frames from each key frame to the next one or to the end."""
    held: list[_Seen] = []
    for index, frame in frames:
        first = not held
        held.append(_Seen(index, frame, grey_of(frame, steady.widest)))
        if first or len(held) > steady.period:
            yield held
            held = held[-1:]
    if len(held) > 1:
        yield held


def _steps(here: _Seen, there: _Seen) -> tuple[_Step, _Step]:
    on, back = flow(here.grey, there.grey), flow(there.grey, here.grey)
    return _Step(on, visible(on, back)), _Step(back, visible(back, on))


def _inner(seen: list[_Seen], steps: list[tuple[_Step, _Step]]) -> list[_Between]:
    """The frames between two key frames, one more of which is where most is unseen in both, if that is too much.

    steps: from each frame to the next one, and back.
    """
    before = _paths(seen, [back for _, back in steps])
    after = _paths(seen[::-1], [on for on, _ in steps[::-1]])[::-1]
    keys = seen[0].index, seen[-1].index
    shares = [_eased(place / len(steps)) for place in range(1, len(steps))]
    ways = [_Carry(keys, (one, other), share) for one, other, share in zip(before[:-1], after[1:], shares, strict=True)]
    unseen = [1 - way.shown.mean() for way in ways]
    if not unseen or max(unseen) <= UNSEEN:
        return [_Between(one, [way], False) for one, way in zip(seen[1:-1], ways, strict=True)]
    place = 1 + int(np.argmax(unseen))
    first, second = _inner(seen[: place + 1], steps[:place]), _inner(seen[place:], steps[place:])
    inner = [*first, _Between(seen[place], [], True), *second]
    return [_Between(one.seen, [way, *one.carries], one.is_key) for way, one in zip(ways, inner, strict=True)]


def _paths(seen: list[_Seen], steps: list[_Step]) -> list[_Path]:
    """The paths of all others to the first frame. steps: from each of the others to the one before it."""
    found: list[_Path] = []
    for one, step in zip(seen[1:], steps, strict=True):
        whole, shown = step.flow, step.shown
        if found:
            whole = step.flow + warped(found[-1].flow, step.flow)
            shown = step.shown & (warped(found[-1].shown.astype(np.uint8), step.flow) > 0)
        gap = cv2.absdiff(cv2.blur(one.grey, SOFT), cv2.blur(warped(seen[0].grey, whole), SOFT))
        same = (gap <= DIFFERENT) & inside(whole) & (strain(whole) < STRAINED)
        found.append(_Path(whole, same & (cv2.blur(same.astype(np.float32), ALIKE) > 0.5), shown))
    return found


def _carried(one: _Between, paints: dict[int, _Paint], dial: float | None) -> Frame:
    """A frame's paint out of that of the key frames around it. paints: by index."""
    own = paints.get(one.seen.index)
    planes = own.planes if own else None
    for way in _needed(one.carries)[::-1]:
        moved = _moved(way, paints)
        shown = cv2.blur(way.shown.astype(np.float32), SOFT)
        planes = planes.mixed(moved, np.asarray(shown)) if planes else moved
    assert planes is not None  # a frame is a key frame, or between two
    return own.mixed(planes.picture, dial) if own else planes.picture


def _needed(ways: list[_Carry]) -> list[_Carry]:
    """The first of the ways, as many as it takes to show all but a little."""
    shown: Mask = np.zeros((1, 1), np.bool_)
    for place, way in enumerate(ways, 1):
        shown = shown | way.shown
        if shown.mean() > 1 - REST:
            return ways[:place]
    return ways


def _moved(way: _Carry, paints: dict[int, _Paint]) -> _Planes:
    """The paint of two key frames where this frame shows the same things."""
    one, other = (paints[key] for key in way.keys)
    first, last = (1 - way.share) * way.paths[0].trust, way.share * way.paths[1].trust
    second = cv2.blur(last / (first + last), SOFT)
    if second.max() < LEAST:
        return one.along(way.paths[0]).restored(one.fine, FINE)
    if second.min() > 1 - LEAST:
        return other.along(way.paths[1]).restored(other.fine, FINE)
    mean = float(second.mean())
    planes = one.along(way.paths[0]).mixed(other.along(way.paths[1]), np.asarray(second))
    planes = planes.restored((1 - mean) * one.strokes + mean * other.strokes, _strokes(planes.light))
    return planes.restored((1 - mean) * one.fine + mean * other.fine, FINE)


def _scaled(flow: Flow, picture: Frame) -> Flow:
    """Flow for each pixel of a picture of the same thing."""
    size = picture.shape[1], picture.shape[0]
    factors = np.array([size[0] / flow.shape[1], size[1] / flow.shape[0]], np.float32)
    return np.asarray(cv2.resize(flow * factors, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _eased(place: float) -> float:
    """How much of the last key frame is taken, this share of the way from the first; a little even where it is far."""
    t = min(1.0, max(0.0, (place - NEAR) / (1 - 2 * NEAR)))
    return min(1 - 1e-3, max(1e-3, t * t * (3 - 2 * t)))


def _enlarged(share: NDArray[Any], size: tuple[int, int]) -> Share:
    return np.asarray(cv2.resize(share, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _mixed(one: Frame, other: Frame, share: Share) -> Frame:
    """Two pictures mixed, `share` of the other one."""
    if one.dtype == np.uint8:
        return np.asarray(cv2.blendLinear(one, other, 1 - share, share), np.uint8)
    mixed = cv2.blendLinear(one.astype(np.float32), other.astype(np.float32), 1 - share, share)
    return (mixed + np.float32(0.5)).astype(one.dtype)


def _restored(picture: Frame, had: float, around: tuple[int, int]) -> Frame:
    """The picture with so much contrast within `around` pixels, if it has less."""
    blurred = cv2.blur(picture, around)
    gain = min(MOST_GAIN, (had / _power(picture, blurred)) ** 0.5)
    return np.asarray(cv2.addWeighted(picture, gain, blurred, 1 - gain, 0), picture.dtype) if gain > 1 else picture


def _contrast(picture: Frame, around: tuple[int, int]) -> float:
    return _power(picture, cv2.blur(picture, around))


def _power(picture: Frame, blurred: NDArray[Any]) -> float:
    """Contrast within what was blurred, squared."""
    return float(np.square(picture[::4, ::4].astype(np.float32) - blurred[::4, ::4]).mean()) + 1e-6


def _strokes(picture: Frame) -> tuple[int, int]:
    return (max(3, picture.shape[1] * STROKES // 640) | 1,) * 2
