"""Optical flow: where each pixel of a frame is to be found in another one.

DIS (Kroeger et al., Fast Optical Flow using Dense Inverse Search, ECCV 2016), which needs no weights.
"""

import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rotoscope.media.track import Frame


@dataclass(frozen=True)
class Search:
    """How DIS seeks. finest: halvings of the frame at which it ends; the rest as OpenCV calls them."""

    finest: int
    stride: int
    descents: int
    refinements: int

    def sought(self, here: "Grey", there: "Grey") -> "Flow":
        """Where each pixel of `here` is in `there`."""
        unknown: Any = None  # OpenCV's types leave it out
        return np.asarray(self._dis.calc(here, there, unknown), np.float32)

    @property
    def _dis(self) -> cv2.DISOpticalFlow:
        """The calling thread's own, which keeps its memory for the next frame."""
        made: dict[Search, cv2.DISOpticalFlow] = _here.__dict__.setdefault("made", {})
        if self not in made:
            made[self] = dis = cv2.DISOpticalFlow.create()
            dis.setFinestScale(self.finest)
            dis.setPatchStride(self.stride)
            dis.setGradientDescentIterations(self.descents)
            dis.setVariationalRefinementIterations(self.refinements)
        return made[self]


_here = threading.local()
FAST, EXACT = Search(0, 4, 12, 2), Search(1, 3, 25, 5)
"""The second is OpenCV's preset "medium"; in frames half as wide, the first takes half as long, nearly as good."""
INVERSIONS = 2
"""Steps after which the inverse of a flow stays as it is, wherever it has one."""
SHARE, PIXELS = 0.01, 0.5
"""There and back may miss by this share of the way, squared, and by so many squared pixels."""
STILL = 1.0
"""Levels of 255 by which motion must explain a place better than rest does; noise alone does not reach them."""
CALM = 1 / 2560
"""Share of a frame's width that DIS moves most of it at least by if the camera moves."""
UNCHANGED, TEXTURE = 0.35, 128
"""Levels by which what rests differs from itself once it is encoded; sum of Sobel's two from which on a pixel has
texture, which even a slow camera would change by more."""
NEARBY, FAR = 8, 0.1
"""Of a frame's width, what is nearby is one part; how much the rest of it counts beside that."""
AROUND = 3
"""Pixels of a side that are looked at to tell motion from rest, in the finest frame that DIS looks at."""
SMALLEST = 16
"""Pixels of a side that DIS needs."""

Flow = NDArray[np.float32]
"""(height, width, 2): how far right and down each pixel is in the other frame, in pixels."""
Grey = NDArray[np.uint8]
"""A frame's light, (height, width)."""
Mask = NDArray[np.bool_]
"""(height, width)."""

# DIS hands its finds on along stripes of the frame, one for each thread: with a number of its own, flow would depend
# on the machine. Frames are what runs side by side here.
cv2.setNumThreads(1)


def grey_of(frame: Frame, widest: int) -> Grey:
    """The light of an RGB(A) frame, uint8 or uint16, at most `widest` pixels wide and high."""
    height, width = frame.shape[:2]
    scale = min(1.0, widest / max(width, height))
    size = (max(SMALLEST, round(width * scale)), max(SMALLEST, round(height * scale)))
    light = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY if frame.shape[2] == 3 else cv2.COLOR_RGBA2GRAY)
    small = cv2.resize(light, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small if small.dtype == np.uint8 else cv2.convertScaleAbs(small, alpha=1 / 257), np.uint8)


def flow(here: Grey, there: Grey, search: Search = FAST) -> Flow:
    """Where each pixel of `here` is in `there`.

    What rest explains as well as motion does is at rest, since DIS finds small motion also there, which would make
    paint crawl: everywhere under a camera that stands still, and otherwise where what has texture does not change
    (captions, drawings, screens), so that plain surfaces of what moves move with it.
    """
    found = search.sought(here, there)
    around = (AROUND << search.finest | 1,) * 2
    moved, resting = _gap(here, warped(there, found), around), _gap(here, there, around)
    moving = resting > moved + STILL
    if _camera_moves(found):
        moving |= ~_rests(here, resting)
    share = cv2.blur(moving.astype(np.float32), around)
    return np.asarray(cv2.multiply(found, cv2.merge([share, share])), np.float32)


def _camera_moves(flow: Flow) -> bool:
    """Whether most of the frame moves."""
    return bool((_squared(flow) > (CALM * flow.shape[1]) ** 2).mean() > 0.5)


def _rests(frame: Grey, resting: NDArray[np.float32]) -> Mask:
    """Where most of what has texture nearby does not change at all; the whole frame counts a little, too.

    resting: by how many levels of 255 the surroundings of each pixel do.
    """
    across, down = (np.abs(cv2.Sobel(frame, cv2.CV_16S, *way)) for way in ((1, 0), (0, 1)))
    unchanged = np.where(resting <= UNCHANGED, np.float32(1), np.float32(-1))
    votes = np.where(across + down > TEXTURE, unchanged, np.float32(0))
    nearby = cv2.blur(votes, (frame.shape[1] // NEARBY | 1,) * 2)
    return np.asarray(nearby + FAR * votes.mean() > 0)


def _gap(one: Grey, other: Grey, around: tuple[int, int]) -> NDArray[np.float32]:
    """How different the surroundings of each pixel are, in levels of 255."""
    return np.asarray(cv2.blur(cv2.absdiff(one, other).astype(np.float32), around), np.float32)


def inverse(flow: Flow) -> Flow:
    """The flow from there to here, by fixed-point iteration (Chen et al., Medical Physics 35, 2008).

    It does not lead home from what was uncovered there; of two things that come to one place it may take the hidden
    one, which does not look the same.
    """
    back = -flow
    for _ in range(INVERSIONS):
        back = -warped(flow, back)
    return back


def visible(out: Flow, back: Flow) -> Mask:
    """Which pixels are in the other frame too: `out` and then `back` lead home (Sundaram et al., ECCV 2010)."""
    returned = warped(back, out)
    return np.asarray(_squared(out + returned) < SHARE * (_squared(out) + _squared(returned)) + PIXELS)


def inside(flow: Flow) -> Mask:
    """Which pixels are led to a place within the other frame."""
    rows, columns = flow.shape[:2]
    place = flow + places(rows, columns)
    return np.asarray(cv2.inRange(place, (0, 0), (columns - 1, rows - 1)), np.bool_)


def strained(flow: Flow, least: float) -> Mask:
    """Where the surroundings of a pixel are stretched, squeezed or turned on the way, by so much of their length."""
    across, down = (cv2.Sobel(flow, cv2.CV_32F, *way, ksize=1, scale=0.5) for way in ((1, 0), (0, 1)))
    return np.asarray(_squared(np.asarray(across)) + _squared(np.asarray(down)) >= least**2)


def warped(picture: NDArray[Any], flow: Flow) -> NDArray[Any]:
    """The picture of the other frame as it looks from here; what is outside of it repeats its border."""
    none: Any = None  # both coordinates are in one array, which OpenCV's types leave out
    return np.asarray(
        cv2.remap(picture, flow, none, cv2.INTER_LINEAR | cv2.WARP_RELATIVE_MAP, borderMode=cv2.BORDER_REPLICATE)
    )


def _squared(flow: Flow) -> NDArray[np.float32]:
    return np.asarray(np.square(flow[..., 0]) + np.square(flow[..., 1]), np.float32)


@lru_cache(maxsize=4)
def places(rows: int, columns: int, finer: float = 1.0) -> Flow:
    """The column and the row of each pixel, in pixels of a picture that is so many times as fine."""
    across, down = (np.arange(count, dtype=np.float32) * finer for count in (columns, rows))
    return np.asarray(np.dstack(np.meshgrid(across, down)), np.float32)
