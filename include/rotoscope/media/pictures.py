"""Pictures for people: the poster, and before and after side by side. Only named formats are ever opened."""

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

GAP = 8
WIDEST = 1920
QUALITY = 90
KNOWN = ("PNG", "JPEG", "WEBP", "TIFF", "BMP")


def kind(path: Path) -> str | None:
    """Which kind of picture a file is, None if it is none that we know; a decompression bomb is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(path, formats=KNOWN) as picture:
                return picture.format
        except (OSError, Image.DecompressionBombError, Image.DecompressionBombWarning):
            return None


def save(frame: NDArray[np.uint8], path: Path) -> None:
    """Write an RGB frame of shape (height, width, 3) as a JPEG."""
    Image.fromarray(frame).save(path, "JPEG", quality=QUALITY)


def side_by_side(before: NDArray[np.uint8], after: NDArray[np.uint8], path: Path) -> None:
    """Write two RGB frames as one JPEG, before on the left, at most 1,920 pixels wide."""
    right = Image.fromarray(after)
    left = Image.fromarray(before).resize(right.size, Image.Resampling.LANCZOS)
    both = beside(left, right)
    both.thumbnail((WIDEST, WIDEST * 4), Image.Resampling.LANCZOS)
    both.save(path, "JPEG", quality=QUALITY)


def beside(left: Image.Image, right: Image.Image) -> Image.Image:
    """Two RGB pictures in one that is as high as the right one, with the left one in the middle of its height."""
    both = Image.new("RGB", (left.width + GAP + right.width, right.height), "white")
    both.paste(left, (0, (right.height - left.height) // 2))
    both.paste(right, (left.width + GAP, 0))
    return both
