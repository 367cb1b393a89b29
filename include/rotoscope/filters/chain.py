"""How a filter is laid over a frame: how strongly, and with whose colours."""

from collections.abc import Sequence

import numpy as np

from rotoscope.engines import Frame, Paint

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of red, green and blue in luma (ITU-R BT.601), with which the networks' training pictures were made."""


def over(paint: Paint, strength: float, keep_colours: bool) -> Paint:
    """Paints RGB or RGBA frames: with `paint`, in the source's colours if asked, mixed in by `strength` 0..1.

    Transparency passes around the filter.
    """
    return lambda frame: laid(frame, paint(bare(frame)), strength, keep_colours)


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


def laid(frame: Frame, painted: Frame, strength: float, keep_colours: bool) -> Frame:
    """A frame with its painted picture over it."""
    if keep_colours or strength < 1:
        painted = _mix(bare(frame), painted, strength, keep_colours)
    return painted if frame.shape[2] == 3 else np.dstack([painted, frame[..., 3]])


def _mix(source: Frame, painted: Frame, strength: float, keep_colours: bool) -> Frame:
    pixels = source.astype(np.float32)
    change = painted - pixels
    if keep_colours:
        change = change @ LUMA[:, None]
    pixels = pixels + np.float32(strength) * change
    white = np.iinfo(source.dtype).max
    return (np.clip(pixels, 0, white) + np.float32(0.5)).astype(source.dtype)
