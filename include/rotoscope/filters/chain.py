"""How a filter is laid over a frame: how strongly, and with whose colours."""

import numpy as np
from numpy.typing import NDArray

from rotoscope import engines
from rotoscope.engines import Paint
from rotoscope.filters.catalogue import Filter

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of red, green and blue in luma (ITU-R BT.601), with which the networks' training pictures were made."""


def load(filter: Filter, strength: float, keep_colours: bool, threads: int) -> Paint:
    """A painter for uint8 RGB frames: the filter, in the source's colours if asked, mixed in by `strength` 0..1."""
    paint = engines.load(filter, threads)

    def mixed(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        painted = paint(frame)
        if not keep_colours and strength == 1:
            return painted
        source = frame.astype(np.float32)
        change = painted - source
        if keep_colours:
            change = change @ LUMA[:, None]
        pixels = source + np.float32(strength) * change
        return (np.clip(pixels, 0, 255) + np.float32(0.5)).astype(np.uint8)

    return mixed
