"""A track: how to read one file's pictures, be it a source, a segment of it or a painted chunk."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rotoscope.media.pixels import LAYOUTS, RGB
from rotoscope.media.video import Colour, Video

Frame = NDArray[np.uint8]
"""One raw frame: uint8 of shape (height, width, 3) for rgb24, else the planes' bytes in one row."""

MATRICES = {"bt709": "bt709", "bt2020nc": "bt2020", "bt2020c": "bt2020", "smpte240m": "smpte240m", "fcc": "fcc"}


@dataclass(frozen=True)
class Picture:
    """What a raw frame looks like: pixel format and (width, height) in pixels, upright."""

    pixel_format: str
    size: tuple[int, int]

    @property
    def frame_bytes(self) -> int:
        return LAYOUTS[self.pixel_format].frame_bytes(*self.size)

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.size[1], self.size[0], 3) if self.pixel_format == RGB else (self.frame_bytes,)


@dataclass(frozen=True)
class Track:
    """The video stream number `stream` of a file.

    tick: seconds a tick of its timestamps; pixel_format, size: of its frames, the size upright; rotation: degrees
    clockwise that they must be turned for that; offset: ticks taken off the video's timestamps in this file.
    """

    path: Path
    stream: int
    tick: Fraction
    pixel_format: str
    size: tuple[int, int]
    colour: Colour
    rotation: int = 0
    offset: int = 0

    @classmethod
    def of(cls, video: Video, path: Path) -> "Track":
        """The pictures of a source as they lie in its own file."""
        size = video.upright_size
        return cls(path, video.stream, video.tick, video.pixel_format, size, video.colour, video.rotation)


def matrix(colour: Colour) -> str:
    """The YCbCr matrix in the scale filter's words. Untagged video gets the same one on the way in and out."""
    return MATRICES.get(colour.matrix or "", "bt601")
