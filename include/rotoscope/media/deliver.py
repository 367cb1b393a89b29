"""Deliver: put painted chunks together with what passes around the filters, into the file that a user gets."""

import math
import tempfile
from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import ffmpeg

from rotoscope.errors import ProcessFailed, Refused
from rotoscope.formats import Options
from rotoscope.media import archive, guard, nut, process
from rotoscope.media.around import Around, around
from rotoscope.media.decode import exact_times
from rotoscope.media.encode import tagged
from rotoscope.media.output import Output
from rotoscope.media.packets import lines
from rotoscope.media.source import Source
from rotoscope.media.timeline import FINEST
from rotoscope.media.video import Colour

TIMESCALES = ("mp4", "mov")
"""Muxers that count in ticks which must be given; the others have their own."""

DISK_FULL = "No space left on device"

Progress = Callable[[int], None]
"""Told how many frames are written."""


def deliver(path: Path, chunks: Iterable[Path], source: Source, output: Output, progress: Progress) -> None:
    """Write the file of a painted video. Raises Refused if something of the source cannot be put into it.

    chunks: NUT files with the timeline's frames, in order. Sound, subtitles, chapters and metadata come from the
    source, by copy where the format can hold them.
    """
    files = iter(chunks)
    first = next(files)
    with tempfile.TemporaryDirectory(prefix="deliver-", dir=path.parent) as folder:
        try:
            _write(path, first, chain([first], files), source, output, Path(folder), progress)
        except ProcessFailed as failure:
            if (failure.status or 0) <= 0 or DISK_FULL in str(failure):
                raise  # that says nothing of the source
            raise Refused(
                f"{source.video.name} cannot be put into {output.target.title}: {failure} Ask for another format, or "
                "give another copy of the video; what is painted is kept."
            ) from None


def _write(
    path: Path,
    first: Path,
    chunks: Iterable[Path],
    source: Source,
    output: Output,
    scratch: Path,
    progress: Progress,
) -> None:
    frames = ffmpeg.input("pipe:0", format=guard.OWN, copyts=None)["v"]
    if output.target.muxer == archive.MUXER:
        _run(archive.pictures(frames, output.stored.pixel_format, scratch), chunks, output, progress)
        archive.pack(scratch, path, output.timeline)
        return
    if output.target.joined:
        pictures = _copied(first, source, output)
    else:
        frames, pictures = _encodable(frames, source, output), _encoded(output)
    beside = around(source, output, scratch)
    _run(_muxed(frames, pictures, path, beside, source, output), chunks, output, progress)


def _run(arguments: list[str], chunks: Iterable[Path], output: Output, progress: Progress) -> None:
    with process.Process("ffmpeg", arguments, stdin=True, pixels=output.stored.pixels, progress=progress) as child:
        try:
            nut.join(chunks, child.stdin)
        except BrokenPipeError:
            child.finish()  # says why ffmpeg went away
            raise
        child.finish()


def _muxed(frames: Any, pictures: Options, path: Path, beside: Around, source: Source, output: Output) -> list[str]:
    """Arguments that put the pictures and the streams around them into one file."""
    target, video = output.target, source.video
    # Each option can be given once, and both of these mean the pictures.
    labels = {"metadata:s:0": ("language", video.language), "metadata:s:v:0": ("title", video.title)}
    options: dict[str, Any] = {
        "format": target.muxer,
        "map_metadata": 1,
        "map_chapters": 1 if beside.chapters else -1,
        "avoid_negative_ts": "disabled",
        **pictures,
        **target.muxer_options,
        **{option: f"{name}={text}" for option, (name, text) in labels.items() if text},
    }
    for place, (_, wanted) in enumerate(beside.streams, 1):
        options |= {f"{name}:{place}": value for name, value in wanted.items()}
    return guard.output([frames, beside.origin, *(stream for stream, _ in beside.streams)], path, **options)


def _copied(first: Path, source: Source, output: Output) -> Options:
    """Options that copy joined chunks on their own clock, which is that of NUT: the timeline's, or a finer one."""
    (time_base,) = lines(first, guard.OWN, "0", "stream=time_base")
    return {"c:0": "copy", **_colour_tags(source.video.colour), **_clock(output, Fraction(time_base))}


def _colour_tags(colour: Colour) -> Options:
    """Tags for the container: not every codec holds them, and NUT holds none."""
    said = {
        "color_range": colour.range,
        "colorspace": colour.matrix,
        "color_primaries": colour.primaries,
        "color_trc": colour.transfer,
    }
    return {f"{name}:0": value for name, value in said.items() if value}


def _encoded(output: Output) -> Options:
    """Options that encode lossless chunks."""
    tick = output.timeline.tick
    encoder = {"c:0" if name == "vcodec" else name: value for name, value in output.encoder.items()}
    return {**encoder, **exact_times(tick), **_clock(output, tick)}


def _encodable(frames: Any, source: Source, output: Output) -> Any:
    """Lossless chunks as the encoder wants them: with the source's colours, or with a palette."""
    clock = output.timeline.tick
    shown = tagged(frames.filter("settb", f"{clock.numerator}/{clock.denominator}"), source.video)
    if not output.target.palette:
        return shown
    both = shown.filter_multi_output("split")
    colours = both[0].filter("palettegen", stats_mode="single")
    return ffmpeg.filter([both[1], colours], "paletteuse", new=1)


def _clock(output: Output, tick: Fraction) -> Options:
    """Timescales that hold every timestamp of the pictures exactly and the offset of the sound to some 10 us.

    ffmpeg's default movie timescale of 1,000 would round a late start of the pictures to milliseconds. Frames on their
    way have no durations, and the last one needs one.
    """
    if output.target.muxer not in TIMESCALES:
        return {}  # their clocks are not ours to set, and a filter of packets counts in them
    last = round(output.timeline.last_duration * output.timeline.tick / tick)
    movie = math.lcm(tick.denominator, 48_000)
    return {
        "bsf:0": f"setts=pts=PTS:dts=DTS:duration={last}",
        "video_track_timescale": tick.denominator,
        "movie_timescale": movie if movie <= FINEST else tick.denominator,
    }
