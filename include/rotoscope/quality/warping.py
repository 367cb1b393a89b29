"""Warping error: how much a video flickers beyond what moves in it.

Lai et al., Learning Blind Video Temporal Consistency (ECCV 2018): the frame after is warped back by the source's
optical flow, and compared with the frame before where nothing was covered or uncovered. Their flow is a network's;
ours is DIS (Kroeger et al., ECCV 2016), which needs no weights.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

WIDEST = 640
"""Frames are made this wide first: flicker is coarse, and flow is slow."""
VISIBLE = (0.01, 0.5)
"""Forward and backward flow may differ by this share of their length, squared, and this many squared pixels."""

Image = NDArray[np.float32]
"""RGB of shape (height, width, 3), 0 to 1."""


def warping_error(before: Image, after: Image, flow: NDArray[np.float32], visible: NDArray[np.bool_]) -> float:
    """Mean squared difference of `before` and of `after` warped back, over visible pixels; 0.0 where there are none."""
    if not visible.any():
        return 0.0
    difference = before - _warped(after, flow)
    return float(np.square(difference[visible]).mean())


def flow_between(before: Image, after: Image) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Where each pixel of `before` went: (height, width, 2) in pixels, and which of them are still to be seen."""
    forward, backward = _flow(before, after), _flow(after, before)
    back = _warped(backward, forward)
    gap = np.square(forward + back).sum(axis=2)
    length = np.square(forward).sum(axis=2) + np.square(back).sum(axis=2)
    share, pixels = VISIBLE
    return forward, gap < share * length + pixels


def small(frame: NDArray[Any]) -> Image:
    """An RGB frame, uint8 or uint16, with further channels or none, at most `WIDEST` pixels wide."""
    height, width = frame.shape[:2]
    picture: Image = frame[..., :3].astype(np.float32) / np.float32(np.iinfo(frame.dtype).max)
    if width <= WIDEST:
        return picture
    size = (WIDEST, max(16, round(height * WIDEST / width)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)


def _flow(before: Image, after: Image) -> NDArray[np.float32]:
    finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = [cv2.cvtColor((image * 255).astype(np.uint8), cv2.COLOR_RGB2GRAY) for image in (before, after)]
    nothing = np.zeros((*before.shape[:2], 2), np.float32)
    return np.asarray(finder.calc(grey[0], grey[1], nothing), np.float32)


def _warped(picture: NDArray[np.float32], flow: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, columns = np.mgrid[0 : flow.shape[0], 0 : flow.shape[1]].astype(np.float32)
    moved = cv2.remap(
        picture, columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(moved, np.float32)
