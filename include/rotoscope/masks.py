"""Masks: where a frame is painted. A box, a picture, or a video with a frame for each of the source's."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from rotoscope.errors import Mismatch, Refused
from rotoscope.filters.chain import Share
from rotoscope.media.packets import Packets
from rotoscope.media.pick import pick_runs
from rotoscope.media.pictures import kind
from rotoscope.media.pixels import RGB
from rotoscope.media.source import Source, open_source
from rotoscope.media.still import BLACK, READ, BadPicture, decode_picture, in_eight_bits
from rotoscope.media.track import Frame, Picture
from rotoscope.media.video import Video

SAME_SHAPE = 0.01
"""Share by which the ratio of a mask's sides may differ from the video's."""
UNREGISTERED = ""
"""In place of the hash of a video whose manifest nobody keeps."""
FEATHER = 4
"""A soft edge is so many standard deviations of its blur wide."""
NUMBER = r"\s*(\d{1,3}(?:\.\d{1,6})?)\s*%?\s*"
BOX, LIKE_A_BOX = re.compile(",".join([NUMBER] * 4)), re.compile(r"[-+\d.%\s]+(,[-+\d.%\s]*)+")

Where = Callable[[int], Share]
"""The mask of a frame, by its index; asked for frames in order."""


@dataclass(frozen=True)
class MaskFile:
    """A mask that was read: the light of a picture, (height, width), uint8, or a video with its packets."""

    name: str
    held: NDArray[np.uint8] | tuple[Source, Packets]


@dataclass(frozen=True)
class Edge:
    """How a mask's edge is: feather, in percent of the frame's shorter side; whether black is painted."""

    feather: float
    invert: bool

    def softened(self, share: Share) -> Share:
        """The share with such an edge."""
        sigma = self.feather / 100 * min(share.shape) / FEATHER
        soft = cv2.GaussianBlur(share, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE) if sigma > 0 else share
        return np.asarray(1 - soft if self.invert else soft, np.float32)


def box_of(text: str) -> tuple[float, float, float, float] | None:
    """Left, top, width and height in percent, None if the text is something else.

    Raises Refused for one that is no box, empty or reaches out of the frame.
    """
    if not LIKE_A_BOX.fullmatch(text):
        return None
    numbers = BOX.fullmatch(text)
    left, top, width, height = (float(number) for number in numbers.groups()) if numbers else (0.0,) * 4
    if not (width > 0 and height > 0 and left + width <= 100 and top + height <= 100):
        raise Refused(f"The mask {text} is no box within a frame; write left, top, width and height in percent.")
    return left, top, width, height


def box_share(box: tuple[float, float, float, float], size: tuple[int, int]) -> Share:
    """A box in a frame of (width, height) pixels; a pixel that it covers in part is painted in part."""
    left, top, width, height = box
    across, down = (_covered(size[0], left, width), _covered(size[1], top, height))
    return np.outer(down, across).astype(np.float32)


def read_mask(path: Path, name: str, video: Video, scratch: Path) -> MaskFile:
    """The mask in a picture's or a video's file, for a video. name: what users call it.

    Raises Refused if it is neither, has another shape, or not a frame for each of the video's.
    """
    if kind(path) in READ:
        still = _still(path, name)
        _refuse_other_shape(name, (still.shape[1], still.shape[0]), video)
        return MaskFile(name, still)
    try:
        source, packets = open_source(path, scratch, lambda: UNREGISTERED, name)
    except Refused as refused:
        raise Refused(f"The mask cannot be used: {refused} Or give a PNG, JPEG or WebP picture.") from None
    mask = source.video
    _refuse_other_shape(name, mask.upright_size, video)
    if mask.frames != video.frames:
        raise Refused(
            f"The mask {name} has {mask.frames} frames and {video.name} has {video.frames}; give a mask with a frame "
            "for each, or a picture for all."
        )
    return MaskFile(name, (source, packets))


def everywhere(share: Share) -> Where:
    """The same for all frames."""
    return lambda index: share


def in_file(mask: MaskFile, edge: Edge, run: range, size: tuple[int, int], scratch: Path) -> Where:
    """A mask that was read, for a run of frames of (width, height) pixels.

    Asking for a frame that the mask turns out not to have raises Refused.
    """
    if isinstance(mask.held, np.ndarray):
        still = cv2.resize(mask.held, size, interpolation=cv2.INTER_AREA)
        return everywhere(edge.softened(still.astype(np.float32) / np.float32(255)))
    numbered = zip(run, _decoded(*mask.held, run, size, scratch), strict=False)

    def where(wanted: int) -> Share:
        try:
            for index, share in numbered:
                if index == wanted:
                    return edge.softened(share)
            raise Mismatch(f"There is no frame {wanted}.")
        except Mismatch as mismatch:
            raise Refused(f"The mask {mask.name} is damaged: {mismatch} Give another copy of it.") from None

    return where


def _decoded(source: Source, packets: Packets, run: range, size: tuple[int, int], scratch: Path) -> Iterator[Share]:
    """A run of a video's frames."""
    for frame in pick_runs(source.track, packets, [run], Picture(RGB, size), scratch):
        yield _light(frame).astype(np.float32) / np.float32(255)


def _covered(pixels: int, begin: float, length: float) -> NDArray[np.float64]:
    """How much of each of so many pixels lies in a stretch, given in percent of all."""
    first, last = begin / 100 * pixels, (begin + length) / 100 * pixels
    places = np.arange(pixels)
    covered: NDArray[np.float64] = np.clip(np.minimum(places + 1, last) - np.maximum(places, first), 0, 1)
    return covered


def _still(path: Path, name: str) -> NDArray[np.uint8]:
    try:
        picture = decode_picture(path.read_bytes(), BLACK)
    except BadPicture as bad:
        raise Refused(f"{name} cannot be a mask: {bad}. Give a PNG, JPEG or WebP picture, or a video.") from None
    return _light(in_eight_bits(picture))


def _light(picture: Frame) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


def _refuse_other_shape(name: str, size: tuple[int, int], video: Video) -> None:
    width, height = video.upright_size
    if abs(size[0] * height / (size[1] * width) - 1) > SAME_SHAPE:
        raise Refused(
            f"The mask {name} has {size[0]}x{size[1]} pixels and {video.name} has {width}x{height}; "
            "give a mask of the same shape."
        )
