"""Decode: compressed frames in, arrays out through a pipe, each one accounted for by its timestamp."""

import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import ffmpeg

from rotoscope.errors import Mismatch, ProcessFailed
from rotoscope.media import guard, process
from rotoscope.media.pixels import is_rgb, layout_name
from rotoscope.media.track import Frame, Picture, Track, matrix

TURNS: dict[tuple[int, bool], list[tuple[str, ...]]] = {
    (90, False): [("transpose", "clock")],
    (180, False): [("hflip",), ("vflip",)],
    (270, False): [("transpose", "cclock")],
    (0, True): [("hflip",)],
    (90, True): [("transpose", "clock_flip")],
    (180, True): [("vflip",)],
    (270, True): [("transpose", "cclock_flip")],
}
"""Filters by degrees clockwise and whether the picture is mirrored."""
EXACT = "bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact"
"""Scaler flags under which a frame's bytes depend on nothing but the frame."""

SCENE_WIDTH = 320
"""Pixels to which pictures are made smaller to look for scene cuts."""

Complaint = Callable[[str], None]
"""Told what the decoder said of damage in the file, if it said anything."""


def decode(track: Track, picture: Picture, pts: Sequence[int], complaint: Complaint | None = None) -> Iterator[Frame]:
    """Yield the frames that have exactly the ascending timestamps `pts` (in the video's ticks), as `picture`.

    Frames around them are decoded where others need them and dropped. Arrays are read-only and the caller's to keep.
    Raises Mismatch if a frame is missing, extra or has another timestamp, or if the file cannot be decoded.
    """
    with tempfile.NamedTemporaryFile("r", suffix=".framecrc") as ledger:
        arguments = _arguments(track, picture, (pts[0], pts[-1] + 1), Path(ledger.name))
        with process.Process("ffmpeg", arguments, stdout=True, pixels=max(picture.pixels, track.pixels)) as child:
            received = 0
            while len(data := child.stdout.read(picture.frame_bytes)) == picture.frame_bytes:
                received += 1
                if received <= len(pts):
                    yield picture.frame(data)
            _finish(child, track)
            if complaint is not None and child.log():
                complaint(child.log())
        stamps = [stamp + track.offset for stamp in read_ledger(ledger)]
    _compare(pts, stamps[:received])


def timestamps(track: Track, most: int | None = None) -> list[int]:
    """The timestamps of the frames that decoding gives, in ticks: all of them, or the first `most`.

    Raises ProcessFailed if decoding fails.
    """
    # A look at the beginning is done before further threads would be busy.
    frames = _frames(track) if most is None else _frames(track, threads=1)
    limit = {} if most is None else {"frames:v": most}
    output = frames.output("pipe:1", format="framecrc", vcodec="wrapped_avframe", **exact_times(track.tick), **limit)
    with process.Process("ffmpeg", output.get_args(), stdout=True, pixels=track.pixels) as child:
        stamps = read_ledger(line.decode() for line in child.stdout)
        child.finish()
    return [stamp + track.offset for stamp in stamps]


def scene_scores(track: Track) -> Iterator[tuple[int, float]]:
    """(timestamp, how much the picture changes there, 0 to 100) for every frame, by ffmpeg's filter `scdet`.

    Raises ProcessFailed if decoding fails.
    """
    small = _frames(track).filter("scale", SCENE_WIDTH, -2, flags="fast_bilinear").filter("scdet")
    said = small.filter("metadata", mode="print", key="lavfi.scd.score", file="pipe:1")
    arguments = said.output("pipe:2", format="null").get_args()
    pts = 0
    with process.Process("ffmpeg", arguments, stdout=True, pixels=track.pixels) as child:
        for line in map(bytes.decode, child.stdout):
            if found := re.match(r"frame:\d+ +pts:(\d+)", line):
                pts = int(found[1]) + track.offset
            elif line.startswith("lavfi.scd.score="):
                yield pts, float(line.partition("=")[2])
        child.finish()


def read_ledger(lines: Any) -> list[int]:
    """The timestamps in what ffmpeg's muxer `framecrc` wrote."""
    return [int(line.split(",")[2]) for line in lines if line.strip() and not line.startswith("#")]


def exact_times(tick: Any) -> dict[str, str]:
    """Options of an output that keeps every frame at its timestamp."""
    return {"fps_mode": "passthrough", "enc_time_base": f"{tick.numerator}/{tick.denominator}"}


def unchanged(frames: Any) -> Any:
    """Frames that keep every bit on their way out: no ffmpeg converts full range then; raw bytes have none."""
    return frames.filter("setparams", range="tv")


def _frames(track: Track, **options: Any) -> Any:
    """The frames of a track on its own clock."""
    # Without `output_corrupt` ffmpeg may hold back the last frame of a segment that begins in an open GOP.
    opened = guard.source(track.path, track.demuxer, copyts=None, noautorotate=None, flags="+output_corrupt", **options)
    frames = opened[str(track.stream)]
    if track.deinterlace:
        frames = frames.filter("bwdif", mode="send_frame")
    # NUT keeps timestamps exactly, but may count them in finer ticks.
    return frames.filter("settb", f"{track.tick.numerator}/{track.tick.denominator}")


def _arguments(track: Track, picture: Picture, window: tuple[int, int], ledger: Path) -> list[str]:
    """One decode with two outputs: raw frames to standard output, and their timestamps to the ledger."""
    begin, end = (when - track.offset for when in window)
    both = _frames(track).filter("trim", start_pts=begin, end_pts=end).filter_multi_output("split")
    times = exact_times(track.tick)
    raw = _as_picture(both[0], track, picture).output("pipe:1", format="rawvideo", **times)
    stamps = both[1].output(f"file:{ledger}", format="framecrc", vcodec="wrapped_avframe", **times)
    arguments: list[str] = ffmpeg.merge_outputs(raw, stamps).get_args()
    return arguments


def _as_picture(frames: Any, track: Track, picture: Picture) -> Any:
    for turn in TURNS.get((track.rotation, track.mirrored), []):
        frames = frames.filter(*turn)
    if picture == Picture(layout_name(track.pixel_format), track.size):
        return unchanged(frames)
    return converted(frames, track, picture)


def converted(frames: Any, track: Track, picture: Picture) -> Any:
    """Frames in another pixel format or size, by the matrix and the range of the track's colour."""
    span = track.colour.range or "tv"
    options: dict[str, str] = {"flags": EXACT}
    if not is_rgb(track.pixel_format):
        options["in_range"] = span
        if is_rgb(picture.pixel_format):
            options["in_color_matrix"] = matrix(track.colour)
    if not is_rgb(picture.pixel_format):
        options["out_range"] = span
    return frames.filter("scale", *picture.size, **options).filter("format", picture.pixel_format)


def _finish(child: process.Process, track: Track) -> None:
    """Wait for the decoder; that it fails is the file's fault, unless somebody else ended it."""
    try:
        child.finish()
    except ProcessFailed as failure:
        if not failure.blames_the_input:
            raise
        raise Mismatch(f"It cannot be decoded: {failure}") from None


def _compare(expected: Sequence[int], actual: Sequence[int]) -> None:
    if list(actual) == list(expected):
        return
    if len(actual) != len(expected):
        raise Mismatch(f"It decodes to {len(actual)} frames where {len(expected)} were expected.")
    at = next(i for i, (a, b) in enumerate(zip(actual, expected, strict=True)) if a != b)
    raise Mismatch(f"Its frame {at} has timestamp {actual[at]} where {expected[at]} was expected.")
