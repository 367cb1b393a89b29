"""A track: how to read one file's pictures, be it a source, a segment of it or a painted chunk."""

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rotoscope.media.guard import OWN
from rotoscope.media.pixels import DEEP_RGB, DEEP_RGBA, LAYOUTS, RGB, RGBA, file_format, working_format
from rotoscope.media.video import Colour, Video

Frame = NDArray[np.unsignedinteger[Any]]
"""One raw frame: shape (height, width, 3 or 4), uint8 or uint16, for RGB(A); else the planes' bytes in one row."""

CHANNELS = {RGB: 3, RGBA: 4, DEEP_RGB: 3, DEEP_RGBA: 4}

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
    def pixels(self) -> int:
        return self.size[0] * self.size[1]

    def frame(self, data: bytes) -> Frame:
        """The array in these bytes, which cannot be written to."""
        if self.pixel_format not in CHANNELS:
            return np.frombuffer(data, np.uint8)
        kind: type[np.unsignedinteger[Any]] = np.uint16 if LAYOUTS[self.pixel_format].sample_bytes == 2 else np.uint8
        return np.frombuffer(data, kind).reshape(self.size[1], self.size[0], CHANNELS[self.pixel_format])


@dataclass(frozen=True)
class Track:
    """The video stream number `stream` of a file in the container that ffmpeg calls `demuxer`.

    tick: seconds a tick of its timestamps; pixel_format, size: of its frames, the size upright; rotation: degrees
    clockwise that they must be turned for that; mirrored: whether left and right must be exchanged too; offset: ticks
    taken off the video's timestamps in this file; deinterlace: whether whole frames are made of half pictures.
    """

    path: Path
    demuxer: str
    stream: int
    tick: Fraction
    pixel_format: str
    size: tuple[int, int]
    colour: Colour
    rotation: int = 0
    mirrored: bool = False
    offset: int = 0
    deinterlace: bool = False

    @classmethod
    def of(cls, video: Video, path: Path) -> "Track":
        """The pictures of a source, in its own file or, where that cannot be cut, in its lossless copy."""
        size = video.upright_size
        if video.cut.method == "copy":
            place = (path, video.demuxer, video.stream, video.tick, video.pixel_format)
        else:
            place = (path, OWN, 0, video.tick, file_format(working_format(video.pixel_format)))
        return cls(*place, size, video.colour, video.rotation, video.mirrored)

    @property
    def pixels(self) -> int:
        return self.size[0] * self.size[1]

    @property
    def stored_size(self) -> tuple[int, int]:
        """(width, height) in pixels as the file holds them, before rotation."""
        return (self.size[1], self.size[0]) if self.rotation in (90, 270) else self.size

    def segment(self, path: Path, offset: int = 0) -> "Track":
        """The same pictures in a NUT file that was cut from the source."""
        return replace(self, path=path, demuxer=OWN, stream=0, offset=offset)


def matrix(colour: Colour) -> str:
    """The YCbCr matrix in the scale filter's words. Untagged video gets the same one on the way in and out."""
    return MATRICES.get(colour.matrix or "", "bt601")
