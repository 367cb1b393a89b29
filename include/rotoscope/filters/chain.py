"""How a filter is laid over a frame: how strongly, with whose colours, and where; and filters one after the other."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from rotoscope.engines import Frame, Paint

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of red, green and blue in luma (ITU-R BT.601), with which the networks' training pictures were made."""

Timed = Callable[[int, Frame], Frame]
"""Paints a frame that may be painted otherwise at another place of the video: index and frame in."""
Share = NDArray[np.float32]
"""Of something at each pixel, (height, width), 0..1."""


def over(paint: Timed, strength: float, keep_colours: bool) -> Timed:
    """Paints RGB or RGBA frames: with `paint`, in the source's colours if asked, mixed in by `strength` 0..1.

    Transparency passes around the filter.
    """
    return lambda index, frame: laid(frame, paint(index, bare(frame)), strength, keep_colours)


def always(paint: Paint) -> Timed:
    """Paints every frame alike."""
    return lambda index, frame: paint(frame)


def faded(between: Callable[[float], Paint], share: Callable[[int], float]) -> Timed:
    """Goes from the painter `between(0)` to `between(1)`. share: of the second one, by a frame's index."""
    return lambda index, frame: between(min(1.0, max(0.0, share(index))))(frame)


def mixed(first: Paint, second: Paint) -> Callable[[float], Paint]:
    """What lies between two painters, by the share of the second; where one of them is all, only that one paints."""

    def between(share: float) -> Paint:
        if share in (0.0, 1.0):
            return second if share else first
        return lambda frame: _weighed(first(frame), second(frame), share)

    return between


def at_scale(paint: Paint, scale: float) -> Paint:
    """Paints with a texture so many times as large: the filter sees the frame so many times smaller."""
    if scale == 1:
        return paint

    def painted(frame: Frame) -> Frame:
        height, width, _ = frame.shape
        size = max(1, round(width / scale)), max(1, round(height / scale))
        on = cv2.INTER_AREA if scale > 1 else cv2.INTER_CUBIC
        seen = np.asarray(cv2.resize(frame, size, interpolation=on), frame.dtype)
        back = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
        return np.asarray(cv2.resize(paint(seen), (width, height), interpolation=back), frame.dtype)

    return painted


def through(layers: Sequence[tuple[Paint, float]]) -> Paint:
    """Paints with one filter after the other, each with its strength over what was painted before."""

    def paint(frame: Frame) -> Frame:
        for one, strength in layers:
            frame = laid(frame, one(frame), strength, keep_colours=False)
        return frame

    return paint


def bare(frame: Frame) -> Frame:
    """What a filter gets to see of an RGB or RGBA frame."""
    return np.ascontiguousarray(frame[..., :3])


def laid(frame: Frame, painted: Frame, strength: float, keep_colours: bool, where: Share | None = None) -> Frame:
    """A frame with its painted picture over it, or only where that shall be."""
    if keep_colours or strength < 1 or where is not None:
        share = np.float32(strength) if where is None else (strength * where)[..., None]
        painted = _mix(bare(frame), painted, share, keep_colours)
    return painted if frame.shape[2] == 3 else np.dstack([painted, frame[..., 3]])


def _weighed(first: Frame, second: Frame, share: float) -> Frame:
    weighed = (1 - share) * first.astype(np.float32) + np.float32(share) * second
    return (weighed + np.float32(0.5)).astype(first.dtype)


def _mix(source: Frame, painted: Frame, share: NDArray[np.float32] | np.float32, keep_colours: bool) -> Frame:
    pixels = source.astype(np.float32)
    change = painted - pixels
    if keep_colours:
        change = change @ LUMA[:, None]
    pixels = pixels + share * change
    white = np.iinfo(source.dtype).max
    return (np.clip(pixels, 0, white) + np.float32(0.5)).astype(source.dtype)
