"""Warping error: how much a video flickers beyond what moves in it.

Lai et al., Learning Blind Video Temporal Consistency (ECCV 2018): the frame after is warped back by the source's
optical flow, and compared with the frame before where nothing was covered or uncovered. Their flow is a network's;
ours is DIS, at rest where nothing can be seen to move, so that paint which rests there is not counted as flicker.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rotoscope.flow import EXACT, Flow, Grey, Mask, flow, visible, warped

WIDEST = 640
"""Frames are made this wide first: flicker is coarse, and flow is slow."""
Image = NDArray[np.float32]
"""RGB of shape (height, width, 3), 0 to 1."""


def warping_error(before: Image, after: Image, moved: Flow, seen: Mask) -> float:
    """Mean squared difference of `before` and of `after` warped back, over pixels seen in both; 0.0 without any."""
    if not seen.any():
        return 0.0
    difference = before - warped(after, moved)
    return float(np.square(difference[seen]).mean())


def flow_between(before: Image, after: Image) -> tuple[Flow, Mask]:
    """Where each pixel of `before` went, and which of them are still to be seen."""
    here, there = _grey(before), _grey(after)
    forward, backward = flow(here, there, EXACT), flow(there, here, EXACT)
    return forward, visible(forward, backward)


def _grey(image: Image) -> Grey:
    return np.asarray(cv2.cvtColor((image * 255).astype(np.uint8), cv2.COLOR_RGB2GRAY), np.uint8)


def small(frame: NDArray[Any]) -> Image:
    """An RGB frame, uint8 or uint16, with further channels or none, at most `WIDEST` pixels wide."""
    height, width = frame.shape[:2]
    picture: Image = frame[..., :3].astype(np.float32) / np.float32(np.iinfo(frame.dtype).max)
    if width <= WIDEST:
        return picture
    size = (WIDEST, max(16, round(height * WIDEST / width)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)
