"""Paint of two key frames, carried along flow to a frame between them.

It comes from the key frame that shows the same thing, from the nearer one where both do, and only half way does one
give over to the other. The contrast that mixing loses is put back, and the sharpness that moving loses.
"""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from rotoscope.flow import Flow, Mask, places
from rotoscope.media.track import Frame

DOUBTFUL, WRONG, CUT_OFF = 0.05, 1e-4, 1e-8
"""How much a pixel counts that looks the same but is not led home, one that looks different, and one behind a cut."""
NEAR = 0.25
"""Up to this share of the way from one key frame to the next, the nearer one alone gives the paint."""
SOFT = (3, 3)
"""Pixels over which one paint gives over to another, where flow is sought."""
STROKES, FINE = 31, (3, 3)
"""Pixels of a frame 640 wide, and of any, within which contrast, and sharpness, are put back."""
MOST_GAIN = 1.5
MIRRORED = cv2.BORDER_REFLECT_101
"""What is beyond the border of a key frame is more like its mirror image than like a streak."""
LEAST = 0.02
"""Shares below this one are not worth a second picture."""
WIDEST = 2**14
"""Pixels of a side from which on OpenCV finds nothing in a picture that is doubled."""
BETWEEN = np.array([1], np.float32), np.array([-3, 19, 19, -3], np.float32) / 32
"""Kernels that find a pixel, and what lies half way to the next: OpenCV's cubic one, centred on its second value."""

_here = threading.local()

Share = NDArray[np.float32]
"""(height, width), 0 to 1."""


@dataclass(frozen=True)
class Path:
    """From a frame to a key frame: where its pixels are there, and which of them look the same, or are led home."""

    flow: Flow
    same: Mask
    shown: Mask

    @property
    def is_cut(self) -> bool:
        """Whether nothing leads to the key frame, since it is in another scene."""
        return not self.shown.any()

    @property
    def trust(self) -> Share:
        """How much each pixel of the key frame counts."""
        if self.is_cut:
            return np.full(self.same.shape, CUT_OFF, np.float32)
        return np.where(self.same, np.where(self.shown, np.float32(1), np.float32(DOUBTFUL)), np.float32(WRONG))


@dataclass(frozen=True)
class Carry:
    """The way to a frame's paint, from the two key frames with these indices; share: of the last one."""

    keys: tuple[int, int]
    paths: tuple[Path, Path]
    share: float

    @property
    def shown(self) -> Mask:
        """What is to be seen in one of the two."""
        return self.paths[0].same | self.paths[1].same

    def carried(self, paint_of: Callable[[int], "Paint"]) -> "Planes":
        """The paint of the key frames where the frame shows the same things; paint_of: that of one, by its index."""
        paints = [paint_of(key) for key in self.keys]

        def along(place: int) -> Planes:
            return paints[place].planes.along(self.paths[place].flow)

        first, last = (1 - self.share) * self.paths[0].trust, self.share * self.paths[1].trust
        second = np.asarray(cv2.blur(last / (first + last), SOFT), np.float32)
        if second.max() < LEAST:
            return along(0).sharpened(paints[0].sharpness)
        if second.min() > 1 - LEAST:
            return along(1).sharpened(paints[1].sharpness)
        mean, (one, other) = float(second.mean()), paints
        planes = along(0).mixed(along(1), second).restored((1 - mean) * one.strokes + mean * other.strokes)
        return planes.sharpened((1 - mean) * one.sharpness + mean * other.sharpness)


def eased(place: float) -> float:
    """How much of the last key frame is taken, this share of the way from the first; a little even where it is far."""
    t = min(1.0, max(0.0, (place - NEAR) / (1 - 2 * NEAR)))
    return min(1 - 1e-3, max(1e-3, t * t * (3 - 2 * t)))


@dataclass(frozen=True)
class Planes:
    """A picture as light, (height, width), and colours, (height / 2, width / 2, 2), of which the eye sees less."""

    light: Frame
    colours: Frame

    @classmethod
    def of(cls, picture: Frame) -> Self:
        """Those of an RGB picture."""
        planes = cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb)
        height, width, _ = picture.shape
        half = cv2.resize(planes, ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_AREA)
        colours = cv2.merge(cv2.split(half)[1:])
        return cls(np.asarray(cv2.extractChannel(planes, 0), picture.dtype), np.asarray(colours, picture.dtype))

    @property
    def picture(self) -> Frame:
        """RGB."""
        colours = cv2.resize(self.colours, self.light.shape[::-1], interpolation=cv2.INTER_LINEAR)
        planes = _kept("planes", (*self.light.shape, 3), self.light.dtype)
        cv2.merge([self.light, colours], dst=planes)
        return np.asarray(cv2.cvtColor(planes, cv2.COLOR_YCrCb2RGB), self.light.dtype)

    def mixed(self, other: "Planes", share: Share) -> "Planes":
        """`share` of the other one, given for as many pixels as flow has."""
        pairs = ((self.light, other.light), (self.colours, other.colours))
        return Planes(*(_mixed(one, two, share) for one, two in pairs))

    def beneath(self, other: "Planes", shown: Mask) -> "Planes":
        """The other one, and this where that is not shown."""
        return self.mixed(other, np.asarray(cv2.blur(shown.astype(np.float32), SOFT), np.float32))

    def along(self, flow: Flow) -> "Planes":
        """The picture where another frame shows the same things."""
        return Planes(_found(self._finer, flow, self.light), _found(self.colours, flow, self.colours))

    @cached_property
    def _finer(self) -> Frame:
        """Light with a pixel half way to each next one: what lies between is found faster there, and as sharp.

        What does not move is found as it is.
        """
        height, width = self.light.shape
        if max(height, width) >= WIDEST:
            return self.light
        finer = np.empty((2 * height, 2 * width), self.light.dtype)
        finer[::2, ::2] = self.light
        for down, across in ((0, 1), (1, 0), (1, 1)):
            kernels, anchor = (BETWEEN[across], BETWEEN[down]), (across, down)
            finer[down::2, across::2] = cv2.sepFilter2D(self.light, -1, *kernels, anchor=anchor)
        return finer

    def restored(self, strokes: float) -> "Planes":
        """With so much contrast of the light within strokes, if it has less."""
        blurred = cv2.blur(self.light, _strokes(self.light))
        return self._raised((strokes / _power(self.light, blurred)) ** 0.5, blurred)

    def sharpened(self, sharpness: float) -> "Planes":
        """So sharp, if it is less."""
        blurred = cv2.blur(self.light, FINE)
        soft = _edges(blurred)
        fine = _edges(self.light) - soft
        # How often `fine` must be added to `soft` to be so sharp: a quadratic equation.
        square, half = np.vdot(fine, fine) + 1e-6, np.vdot(fine, soft)
        rest = np.vdot(soft, soft) - sharpness * fine.size
        return self._raised(float(-half + max(0.0, half**2 - square * rest) ** 0.5) / float(square), blurred)

    def _raised(self, gain: float, blurred: NDArray[Any]) -> "Planes":
        """With light that differs so many times as much from what was blurred of it, if that is more."""
        if gain <= 1:
            return self
        gain = min(MOST_GAIN, gain)
        raised = cv2.addWeighted(self.light, gain, blurred, 1 - gain, 0)
        return Planes(np.asarray(raised, self.light.dtype), self.colours)


@dataclass(frozen=True)
class Paint:
    """A key frame's paint; strokes: its contrast within strokes, squared; sharpness: the variance of its Laplacian."""

    planes: Planes
    strokes: float
    sharpness: float

    @classmethod
    def of(cls, picture: Frame) -> Self:
        """That of an RGB picture."""
        planes = Planes.of(picture)
        strokes = _power(planes.light, cv2.blur(planes.light, _strokes(planes.light)))
        return cls(planes, strokes, float(np.square(_edges(planes.light)).mean()))

    def beneath(self, other: Planes, shown: Mask) -> "Paint":
        """The other one, and this where that is not shown, as sharp as this."""
        return replace(self, planes=self.planes.beneath(other, shown).sharpened(self.sharpness))


def _found(picture: Frame, flow: Flow, still: Frame) -> Frame:
    """What a picture shows where flow leads to; still: what it shows where nothing moves, in as many pixels as wanted.

    All three show as much, in as many pixels as they have.
    """
    if not flow.any():
        return still
    (rows, columns), (height, width) = still.shape[:2], picture.shape[:2]
    factors: Any = (width / flow.shape[1], height / flow.shape[0], 0, 0)  # by NumPy, pairs take ten times as long
    led_to = _kept("led to", (rows, columns, 2))
    cv2.resize(cv2.multiply(flow, factors), (columns, rows), dst=led_to, interpolation=cv2.INTER_LINEAR)
    moving = _moving(flow, rows, columns)
    cv2.add(led_to[moving], places(rows, columns, width / columns)[moving], dst=led_to[moving])
    # OpenCV never comes back from mirroring a single pixel.
    border = MIRRORED if min(height, width) > 1 else cv2.BORDER_REPLICATE
    none: Any = None  # both coordinates are in one array, which OpenCV's types leave out
    found = still.copy()
    cv2.remap(picture, led_to[moving], none, cv2.INTER_LINEAR, dst=found[moving], borderMode=border)
    return found


def _kept(use: str, shape: tuple[int, ...], dtype: Any = np.float32) -> NDArray[Any]:
    """Memory of the calling thread's own, kept for its next frame: getting it anew takes as long as working in it."""
    kept: dict[str, NDArray[np.uint8]] = _here.__dict__.setdefault("kept", {})
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if use not in kept or kept[use].size < size:
        kept[use] = np.empty(size, np.uint8)
    return np.asarray(kept[use][:size].view(dtype).reshape(shape))


def _moving(flow: Flow, rows: int, columns: int) -> tuple[slice, slice]:
    """The part of a picture of so many pixels outside of which nothing moves, though something does."""
    parts = []
    # Two axes at once take NumPy ten times as long.
    in_rows, in_columns = flow.reshape(len(flow), -1).any(1), np.any(np.any(flow, 0), 1)
    for pixels, moves in ((rows, in_rows), (columns, in_columns)):
        which = np.flatnonzero(moves)
        first, last = max(0, which[0] - 1), which[-1] + 2
        parts.append(slice(first * pixels // moves.size, -(-last * pixels // moves.size)))
    return parts[0], parts[1]


def _mixed(one: Frame, other: Frame, share: Share) -> Frame:
    """Two pictures mixed, `share` of the other one."""
    ours, theirs = (_kept(use, one.shape[:2]) for use in ("ours", "theirs"))
    cv2.resize(share, one.shape[1::-1], dst=theirs, interpolation=cv2.INTER_LINEAR)
    np.subtract(1, theirs, out=ours)
    if one.dtype == np.uint8:
        return np.asarray(cv2.blendLinear(one, other, ours, theirs), np.uint8)
    mixed = cv2.blendLinear(one.astype(np.float32), other.astype(np.float32), ours, theirs)
    return (mixed + np.float32(0.5)).astype(one.dtype)


def _edges(light: NDArray[Any]) -> NDArray[np.float32]:
    """The Laplacian, in every third row: where networks double pictures, every other one looks less sharp than all."""
    edges = cv2.Laplacian(light, cv2.CV_16S if light.dtype == np.uint8 else cv2.CV_32F)
    return np.ascontiguousarray(edges[::3], np.float32)


def _power(picture: Frame, blurred: NDArray[Any]) -> float:
    """Contrast within what was blurred, squared."""
    return float(np.square(picture[::4, ::4].astype(np.float32) - blurred[::4, ::4]).mean()) + 1e-6


def _strokes(picture: Frame) -> tuple[int, int]:
    return (max(3, picture.shape[1] * STROKES // 640) | 1,) * 2
