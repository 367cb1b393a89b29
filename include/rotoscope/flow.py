"""Optical flow: where each pixel of a frame is to be found in another one.

DIS (Kroeger et al., Fast Optical Flow using Dense Inverse Search, ECCV 2016), which needs no weights.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rotoscope.media.track import Frame

FAST, EXACT = cv2.DISOPTICAL_FLOW_PRESET_FAST, cv2.DISOPTICAL_FLOW_PRESET_MEDIUM
SHARE, PIXELS = 0.01, 0.5
"""There and back may miss by this share of the way, squared, and by so many squared pixels."""
STILL = 1.0
"""Levels of 255 by which motion must explain a place better than rest does; noise alone does not reach them."""
AROUND = (7, 7)
"""Pixels that are looked at to tell motion from rest."""
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
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    eight = small if small.dtype == np.uint8 else (small >> 8).astype(np.uint8)
    return np.asarray(cv2.cvtColor(eight, cv2.COLOR_RGB2GRAY if frame.shape[2] == 3 else cv2.COLOR_RGBA2GRAY), np.uint8)


def flow(here: Grey, there: Grey, preset: int = FAST) -> Flow:
    """Where each pixel of `here` is in `there`; at rest wherever that explains what is seen as well.

    DIS finds small motion also in what stands still, which would make paint crawl there.
    """
    found = np.asarray(cv2.DISOpticalFlow.create(preset).calc(here, there, np.zeros((*here.shape, 2), np.float32)))
    moved, resting = (cv2.blur(cv2.absdiff(here, other).astype(np.float32), AROUND) for other in (warped(there, found), there))
    moving = cv2.blur((resting > moved + STILL).astype(np.float32), AROUND)
    return np.asarray(found * moving[..., None], np.float32)


def visible(out: Flow, back: Flow) -> Mask:
    """Which pixels are in the other frame too: following `out` and then `back` leads home (Sundaram et al., ECCV 2010)."""
    returned = warped(back, out)
    gap = np.square(out + returned).sum(axis=2)
    length = np.square(out).sum(axis=2) + np.square(returned).sum(axis=2)
    return np.asarray(gap < SHARE * length + PIXELS)


def inside(flow: Flow) -> Mask:
    """Which pixels are led to a place within the other frame."""
    rows, columns = flow.shape[:2]
    across, down = places(flow)
    return np.asarray((across >= 0) & (across <= columns - 1) & (down >= 0) & (down <= rows - 1))


def places(flow: Flow) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The column and the row that each pixel is led to."""
    rows, columns = flow.shape[:2]
    return flow[..., 0] + np.arange(columns, dtype=np.float32), flow[..., 1] + np.arange(rows, dtype=np.float32)[:, None]


def warped(picture: NDArray[Any], flow: Flow, interpolation: int = cv2.INTER_LINEAR) -> NDArray[Any]:
    """The picture of the other frame as it looks from here; what is outside of it repeats its border."""
    return np.asarray(cv2.remap(picture, *places(flow), interpolation, borderMode=cv2.BORDER_REPLICATE))
