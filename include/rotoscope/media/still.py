"""Still pictures as bytes: frames on their way to an algorithm elsewhere and back. Only named formats are opened."""

import io
import warnings
from typing import Literal

import cv2
import numpy as np
from PIL import Image

from rotoscope.errors import RotoscopeError
from rotoscope.limits import limits
from rotoscope.media.track import Frame

READ = ("PNG", "JPEG", "WEBP")
JPEG_QUALITY = 95
FAST = 1
"""PNG's compression level: more of it costs more time than it saves on the way."""
MOST_BYTES = 256 * 2**20

Kind = Literal["png", "jpeg"]


class BadPicture(RotoscopeError):
    """The bytes are no picture that may be read."""


def decode_picture(content: bytes) -> Frame:
    """The picture in these bytes, upright: RGB of shape (height, width, 3), uint16 for 16-bit PNG, otherwise uint8.

    Raises BadPicture for what is no PNG, JPEG or WebP, is cut off, or is larger than a frame may be.
    """
    width, height = _size(content)
    if width * height > limits().max_pixels:
        raise BadPicture(f"it has {width}x{height} pixels; the most is {limits().max_pixels}")
    try:
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise BadPicture("it is damaged")
    return np.ascontiguousarray(pixels[..., ::-1])


def in_eight_bits(picture: Frame) -> Frame:
    """A picture of uint8 or uint16 as uint8."""
    return picture if picture.dtype == np.uint8 else (picture >> 8).astype(np.uint8)


def encode_picture(frame: Frame, kind: Kind) -> bytes:
    """An RGB frame of shape (height, width, 3) as PNG, which loses nothing, or, of uint8, as JPEG."""
    bgr = np.ascontiguousarray(frame[..., ::-1])
    if kind == "png":
        _, content = cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, FAST])
    else:
        _, content = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return content.tobytes()


def _size(content: bytes) -> tuple[int, int]:
    """Width and height by the header, after the whole of a PNG or JPEG was seen to be there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit decides
        try:
            with Image.open(io.BytesIO(content), formats=READ) as picture:
                size, kind = picture.size, picture.format
        except Image.DecompressionBombError:
            raise BadPicture(f"it has too many pixels; the most is {limits().max_pixels}") from None
        except OSError:
            raise BadPicture("it is no PNG, JPEG or WebP picture") from None
    # OpenCV fills what is missing with grey and says nothing.
    if kind == "PNG" and content[-8:-4] != b"IEND":
        raise BadPicture("it is cut off")
    if kind == "JPEG" and b"\xff\xd9" not in content[-64:]:
        raise BadPicture("it is cut off")
    return size
