"""Encode: arrays in through a pipe, each with the timestamp it shall have to the tick, into a NUT file."""

import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg

from rotoscope.media import nut, process
from rotoscope.media.decode import EXACT, exact_times, unchanged
from rotoscope.media.pixels import LAYOUTS, file_format, is_rgb
from rotoscope.media.track import Frame, Picture, matrix
from rotoscope.media.video import Colour, Video

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
        if frame.nbytes != self._frame_bytes:
            raise ValueError(f"A frame of {frame.nbytes} bytes was painted where {self._frame_bytes} were expected.")
        self._send(struct.pack("<Iq", self._frame_bytes, pts))
        self._send(frame.tobytes())

    def _send(self, data: bytes) -> None:
        try:
            self._child.stdin.write(data)
        except BrokenPipeError:
            self._child.finish()  # says why the encoder went away
            raise


@contextmanager
def encode(
    path: Path, frames: Picture, stored: Picture, tick: Fraction, video: Video, codec: Options
) -> Iterator[TimedFrames]:
    """Encode frames into a NUT file after conversion to `stored`, by ffmpeg's options `codec` or without loss.

    The file is tagged with the video's colours and the shape of its pixels. NUT keeps any time base.
    """
    shown = tagged(_converted(frames, stored, video.colour), video)
    held = {**codec, "pix_fmt": stored.pixel_format}
    if codec["vcodec"] == "ffv1":  # which knows no range, so newer ffmpegs would convert to the one it is given
        shown = unchanged(shown)
        held |= {"pix_fmt": file_format(stored.pixel_format), "slices": _slices(stored.size)}
    output = shown.output(f"file:{path}", **nut.OPTIONS, **held, **exact_times(tick))
    yield from _feed(output, frames, stored, tick)


@contextmanager
def encode_lossless(
    path: Path, frames: Picture, stored: Picture, tick: Fraction, colour: Colour
) -> Iterator[TimedFrames]:
    """Encode frames into a NUT file from which they come back bit by bit, after conversion to `stored`.

    The file has no colour tags, since not every codec takes them without converting: whoever reads it must know them.
    """
    output = _converted(frames, stored, colour).output(f"file:{path}", **lossless(stored), **exact_times(tick))
    yield from _feed(output, frames, stored, tick)


def lossless(stored: Picture) -> Options:
    """Options for a NUT file that holds frames without loss.

    H.264 at QP 0 is three times as fast as FFV1, half as large, and takes few formats.
    """
    even_sized = stored.size[0] % 2 == 0 and stored.size[1] % 2 == 0
    codec: Options = {"vcodec": "ffv1", "level": 3, "g": 1, "slices": _slices(stored.size)}
    if stored.pixel_format == "yuv420p" and even_sized:
        codec = {"vcodec": "libx264", "qp": 0, "preset": "ultrafast"}
    return {**nut.OPTIONS, **codec, "pix_fmt": file_format(stored.pixel_format)}


def _slices(size: tuple[int, int]) -> int:
    """Slices of an FFV1 frame: as few as ffmpeg lets, since ffmpeg 6.0 loses columns of odd sizes with more."""
    return 1 if size[0] <= 352 and size[1] <= 288 else 4


def tagged(shown: Any, video: Video) -> Any:
    """The frames with the source's colour tags, and its sample aspect ratio turned with them."""
    colour = video.colour
    tags = {
        "range": colour.range,
        "color_primaries": colour.primaries,
        "color_trc": colour.transfer,
        "colorspace": colour.matrix,
    }
    # As properties of the frames; told to the encoder, newer ffmpegs would convert to them.
    shown = shown.filter("setparams", **{name: value or "auto" for name, value in tags.items()})
    across, _, down = video.sample_aspect_ratio.partition(":")
    if not across.isdigit() or not down.isdigit() or 0 in (int(across), int(down)):
        return shown
    return shown.filter("setsar", f"{down}/{across}" if video.rotation in (90, 270) else f"{across}/{down}")


def _feed(output: Any, frames: Picture, stored: Picture, tick: Fraction) -> Iterator[TimedFrames]:
    """Run an ffmpeg-python output that reads the pipe, and give a writer for it."""
    with process.Process("ffmpeg", output.get_args(), stdin=True, pixels=max(frames.pixels, stored.pixels)) as child:
        yield TimedFrames(child, frames, tick)
        child.finish()


def _converted(frames: Picture, stored: Picture, colour: Colour) -> Any:
    """The pipe as an ffmpeg-python input: converted to the format in which frames are stored."""
    # Chunks are joined under the headers of the first, in which NUT's muxer would write the frame rate that it guesses.
    stream = ffmpeg.input("pipe:0", format="ivf", vcodec="rawvideo", copyts=None, fpsprobesize=0)["v"]
    span = colour.range or "tv"
    if frames.size != stored.size:
        stream = stream.filter("crop", *stored.size, 0, 0)  # an odd last column or row, which 4:2:0 cannot hold
    if frames.pixel_format != stored.pixel_format:
        options = {"flags": EXACT}
        if is_rgb(frames.pixel_format) and not is_rgb(stored.pixel_format):
            options["out_color_matrix"] = matrix(colour)
        if not is_rgb(frames.pixel_format):
            options["in_range"] = span
        if not is_rgb(stored.pixel_format):
            options["out_range"] = span
        stream = stream.filter("scale", *stored.size, **options).filter("format", stored.pixel_format)
    return stream
