"""Decode: compressed frames in, arrays out through a pipe, each one accounted for by its timestamp."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import ffmpeg
import numpy as np

from rotoscope.errors import Mismatch
from rotoscope.media import process
from rotoscope.media.pixels import RGB, layout_name
from rotoscope.media.track import Frame, Picture, Track, matrix

TURNS: dict[int, list[tuple[str, ...]]] = {
    90: [("transpose", "clock")],
    180: [("hflip",), ("vflip",)],
    270: [("transpose", "cclock")],
}
EXACT = "bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact"
"""Scaler flags under which a frame's bytes depend on nothing but the frame."""


def decode(track: Track, picture: Picture, pts: Sequence[int]) -> Iterator[Frame]:
    """Yield the frames that have exactly the ascending timestamps `pts` (in the video's ticks), as `picture`.

    Frames around them are decoded where others need them and dropped. Arrays are read-only and the caller's to keep.
    Raises Mismatch if a frame is missing, extra or has another timestamp, ProcessFailed if decoding fails.
    """
    with tempfile.NamedTemporaryFile("r", suffix=".framecrc") as ledger:
        arguments = _arguments(track, picture, (pts[0], pts[-1] + 1), Path(ledger.name))
        with process.Process("ffmpeg", arguments, stdout=True) as child:
            received = 0
            while len(data := child.stdout.read(picture.frame_bytes)) == picture.frame_bytes:
                received += 1
                if received <= len(pts):
                    yield np.frombuffer(data, np.uint8).reshape(picture.shape)
            child.finish()
        stamps = [int(line.split(",")[2]) + track.offset for line in ledger if not line.startswith("#")]
    _compare(track.path, pts, stamps[:received])


def _arguments(track: Track, picture: Picture, window: tuple[int, int], ledger: Path) -> list[str]:
    """One decode with two outputs: raw frames to standard output, and their timestamps to the ledger."""
    clock = f"{track.tick.numerator}/{track.tick.denominator}"
    exact = {"fps_mode": "passthrough", "enc_time_base": clock}
    # Without `output_corrupt` ffmpeg may hold back the last frame of a segment that begins in an open GOP.
    frames = process.source(track.path, copyts=None, noautorotate=None, flags="+output_corrupt")[str(track.stream)]
    frames = frames.filter("settb", clock)  # NUT keeps timestamps exactly, but may count them in finer ticks
    own = frames.filter("trim", start_pts=window[0] - track.offset, end_pts=window[1] - track.offset)
    both = own.filter_multi_output("split")
    raw = _as_picture(both[0], track, picture).output("pipe:1", format="rawvideo", **exact)
    stamps = both[1].output(f"file:{ledger}", format="framecrc", vcodec="wrapped_avframe", **exact)
    arguments: list[str] = ffmpeg.merge_outputs(raw, stamps).get_args()
    return arguments


def _as_picture(frames: Any, track: Track, picture: Picture) -> Any:
    for turn in TURNS.get(track.rotation, []):
        frames = frames.filter(*turn)
    if picture == Picture(layout_name(track.pixel_format), track.size):
        return frames.filter("setparams", range="tv")  # so that no ffmpeg converts full range; raw bytes have none
    span = track.colour.range or "tv"
    options = {"flags": EXACT, "in_range": span}
    if picture.pixel_format == RGB:
        options["in_color_matrix"] = matrix(track.colour)
    else:
        options["out_range"] = span
    return frames.filter("scale", *picture.size, **options).filter("format", picture.pixel_format)


def _compare(path: Path, expected: Sequence[int], actual: Sequence[int]) -> None:
    if list(actual) == list(expected):
        return
    if len(actual) != len(expected):
        raise Mismatch(f"{path.name} decoded to {len(actual)} frames where {len(expected)} were expected.")
    at = next(i for i, (a, b) in enumerate(zip(actual, expected, strict=True)) if a != b)
    raise Mismatch(f"{path.name}: frame {at} has timestamp {actual[at]} where {expected[at]} was expected.")
