"""Still pictures as bytes: frames on their way to an algorithm elsewhere and back. Only named formats are opened."""

import io
import warnings
from typing import Any, Literal

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
BLACK, WHITE = 0.0, 1.0
MOST_BYTES = 256 * 2**20

Kind = Literal["png", "jpeg"]


class BadPicture(RotoscopeError):
    """The bytes are no picture that may be read."""


def decode_picture(content: bytes, ground: float = WHITE) -> Frame:
    """The picture in these bytes, upright: RGB of shape (height, width, 3), uint16 for 16-bit PNG, otherwise uint8.

    ground: BLACK to WHITE, what it lies on where it is transparent. Raises BadPicture for what is no PNG, JPEG or WebP,
    is cut off, or is larger than a frame may be.
    """
    (width, height), is_transparent = _facts(content)
    if width * height > limits().max_pixels:
        raise BadPicture(f"it has {width}x{height} pixels; the most is {limits().max_pixels}")
    pixels = _decoded(content, cv2.IMREAD_UNCHANGED) if is_transparent else None
    if pixels is not None and pixels.ndim == 3 and pixels.shape[2] == 4:
        pixels = _on(pixels, ground)
    else:
        pixels = _decoded(content, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
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


def _decoded(content: bytes, how: int) -> Any:
    """OpenCV's pixels, None if it finds none."""
    try:
        return cv2.imdecode(np.frombuffer(content, np.uint8), how)
    except cv2.error:
        return None


def _on(pixels: Frame, ground: float) -> Frame:
    """A picture with alpha, laid on a grey."""
    most = np.iinfo(pixels.dtype).max
    share = pixels[..., 3:] / np.float32(most)
    return np.rint(pixels[..., :3] * share + ground * most * (1 - share)).astype(pixels.dtype)


def _facts(content: bytes) -> tuple[tuple[int, int], bool]:
    """(width, height) and whether there is alpha, by the header, after all of a PNG or JPEG was seen to be there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit decides
        try:
            with Image.open(io.BytesIO(content), formats=READ) as picture:
                size, kind, is_transparent = picture.size, picture.format, picture.has_transparency_data
        except Image.DecompressionBombError:
            raise BadPicture(f"it has too many pixels; the most is {limits().max_pixels}") from None
        except OSError:
            raise BadPicture("it is none that can be read") from None
    # OpenCV fills what is missing with grey and says nothing.
    if kind == "PNG" and content[-8:-4] != b"IEND":
        raise BadPicture("it is cut off")
    if kind == "JPEG" and b"\xff\xd9" not in content[-64:]:
        raise BadPicture("it is cut off")
    return size, is_transparent
