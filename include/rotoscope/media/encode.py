"""Encode: arrays in through a pipe, each with the timestamp it shall have to the tick."""

import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg

from rotoscope.media import process
from rotoscope.media.decode import EXACT
from rotoscope.media.pixels import LAYOUTS, RGB, file_format
from rotoscope.media.track import Frame, Picture, matrix
from rotoscope.media.video import Colour

Options = Mapping[str, str | int]


class TimedFrames:
    """Writes raw frames with timestamps into an ffmpeg child, as IVF: a frame's header there is its size and time.

    ffmpeg's raw video input knows no timestamps and its other containers round them; IVF has neither fault.
    Layout: https://wiki.multimedia.cx/index.php/Duck_IVF
    """

    def __init__(self, child: process.Process, picture: Picture, tick: Fraction) -> None:
        self._child = child
        self._frame_bytes = picture.frame_bytes
        fourcc = LAYOUTS[picture.pixel_format].fourcc
        clock = (tick.denominator, tick.numerator)
        self._send(struct.pack("<4sHH4sHHIIII", b"DKIF", 0, 32, fourcc, *picture.size, *clock, 0, 0))

    def write(self, pts: int, frame: Frame) -> None:
        """Send one frame with its timestamp in ticks; timestamps ascend."""
        if frame.size != self._frame_bytes:
            raise ValueError(f"A frame of {frame.size} bytes was painted where {self._frame_bytes} were expected.")
        self._send(struct.pack("<Iq", self._frame_bytes, pts))
        self._send(frame.tobytes())

    def _send(self, data: bytes) -> None:
        try:
            self._child.stdin.write(data)
        except BrokenPipeError:
            self._child.finish()  # says why the encoder went away
            raise


@contextmanager
def encode_lossless(
    path: Path, frames: Picture, stored: Picture, tick: Fraction, colour: Colour
) -> Iterator[TimedFrames]:
    """Encode frames into a NUT file from which they come back bit by bit, after conversion to `stored`.

    NUT keeps any time base. The file has no colour tags, since not every codec takes them without converting: whoever
    reads it must know the colour. H.264 at QP 0 is three times as fast as FFV1, half as large, and takes few formats.
    """
    even = stored.size[0] % 2 == 0 and stored.size[1] % 2 == 0
    fast = stored.pixel_format == "yuv420p" and even
    codec: Options = {"vcodec": "ffv1", "level": 3, "g": 1, "slices": 1}  # ffmpeg 6 loses columns with more slices
    if fast:
        codec = {"vcodec": "libx264", "qp": 0, "preset": "ultrafast"}
    held = {**exact(stored, tick), "pix_fmt": file_format(stored.pixel_format)}
    output = pictures(frames, stored, colour).output(f"file:{path}", format="nut", **codec, **held)
    with feed(output, frames, tick) as timed:
        yield timed


@contextmanager
def feed(output: Any, frames: Picture, tick: Fraction) -> Iterator[TimedFrames]:
    """Run an ffmpeg-python output that reads `pictures`, and give a writer for them."""
    with process.Process("ffmpeg", output.get_args(), stdin=True) as child:
        yield TimedFrames(child, frames, tick)
        child.finish()


def pictures(frames: Picture, stored: Picture, colour: Colour) -> Any:
    """The pipe as an ffmpeg-python input: converted to the format in which frames are stored."""
    stream = ffmpeg.input("pipe:0", format="ivf", vcodec="rawvideo", copyts=None)["v"]
    span = colour.range or "tv"
    if frames.size != stored.size:
        stream = stream.filter("crop", *stored.size, 0, 0)  # an odd last column or row, which 4:2:0 cannot hold
    if frames.pixel_format != stored.pixel_format:
        options = {"flags": EXACT, "out_range": span}
        if frames.pixel_format == RGB:
            options["out_color_matrix"] = matrix(colour)
        else:
            options["in_range"] = span
        stream = stream.filter("scale", *stored.size, **options).filter("format", stored.pixel_format)
    return stream


def exact(stored: Picture, tick: Fraction) -> Options:
    """Options under which an encoder keeps every frame, its format and its timestamp."""
    clock = f"{tick.numerator}/{tick.denominator}"
    return {"pix_fmt": stored.pixel_format, "fps_mode": "passthrough", "enc_time_base": clock}
