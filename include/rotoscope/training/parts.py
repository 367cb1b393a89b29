"""Parts of photos to learn from, chosen by chance."""

import cv2
import numpy as np

from rotoscope.engines import Frame

SHIFT = 8
"""Pixels that a second look at a part is away from the first at most."""
LARGEST = 2.2
"""How many times its side a part may be taken from, so that things are seen large and small."""


def part(photo: Frame, side: int, chance: np.random.Generator) -> Frame:
    """A square of `side` pixels out of a photo (height, width, 3), uint8, from near or far, or its mirror image."""
    height, width, _ = photo.shape
    taken = int(chance.integers(side, min(height, width, round(side * LARGEST)) + 1))
    top, left = int(chance.integers(height - taken + 1)), int(chance.integers(width - taken + 1))
    square = photo[top : top + taken, left : left + taken]
    if taken > side:
        square = np.asarray(cv2.resize(square, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
    return square[:, ::-1] if chance.random() < 0.5 else square
