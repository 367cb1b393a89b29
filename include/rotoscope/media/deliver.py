"""Deliver: encode painted frames in an output format and mux them with what passes around the filters."""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg

from rotoscope.formats import Format
from rotoscope.media import process
from rotoscope.media.encode import Options, TimedFrames, exact, feed, pictures
from rotoscope.media.timeline import FINEST, Timeline
from rotoscope.media.track import Picture
from rotoscope.media.video import Video

COPY: Options = {"c:a": "copy"}


@contextmanager
def deliver(
    path: Path, source: Path, video: Video, target: Format, frames: Picture, timeline: Timeline
) -> Iterator[TimedFrames]:
    """Give a writer for the timeline's frames; when the block ends, `path` is the finished file.

    Sound, chapters and metadata come from `source` by copy where the format can hold them.
    Raises ProcessFailed if ffmpeg cannot encode or mux.
    """
    stored = Picture(target.pixel_format, even(frames.size))
    sound = _sound(video, target)
    around = source
    if timeline.part is not None and video.sound:
        around, sound = _cut_sound(source, path.with_name(f"{path.name}.sound"), video, target, timeline.part), COPY
    chapters = -1 if timeline.part is not None and not video.sound else 1
    output = ffmpeg.output(
        _as_source(pictures(frames, stored, video.colour), video),
        process.source(around)["a?"],  # optional, so that a silent source still gives its metadata
        f"file:{path}",
        format=target.muxer,
        map_metadata=1,
        map_chapters=chapters,
        **target.video,
        **target.muxer_options,
        **sound,
        **_clocks(timeline),
        **exact(stored, timeline.tick),
    )
    with feed(output, frames, timeline.tick) as timed:
        yield timed


def notices(video: Video, target: Format) -> list[str]:
    """One sentence for each thing of the source that the delivered file does not hold as it was."""
    said = []
    if re.search(r"(9|1[0-6]|32|48|64)(le|be)$", video.pixel_format):
        said.append(f"The source has more than 8 bits a sample ({video.pixel_format}); the result has 8.")
    if even(video.upright_size) != video.upright_size:
        said.append("The last column or row of pictures of odd size is cut off.")
    for other in video.others:
        if other.kind == "audio" and other.codec not in target.copied_sound:
            said.append(
                f"Sound stream {other.index} ({other.codec}) was converted, since {target.title} cannot hold it."
            )
        elif other.kind != "audio":
            said.append(f"Stream {other.index} ({other.kind}, {other.codec}) was left out.")
    return said


def even(size: tuple[int, int]) -> tuple[int, int]:
    """The size without an odd last column or row, which 4:2:0 formats cannot hold."""
    return (max(2, size[0] // 2 * 2), max(2, size[1] // 2 * 2))


def _as_source(shown: Any, video: Video) -> Any:
    """The pictures with the source's colour tags, and its sample aspect ratio turned with them."""
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


def _cut_sound(source: Path, path: Path, video: Video, target: Format, part: tuple[Fraction, Fraction]) -> Path:
    """Write the sound of a part, and what else goes around the filters, to a file that starts at zero."""
    start, end = (float(second) - video.start_time for second in part)  # as ffmpeg counts: from the file's start
    cut = process.source(source, ss=f"{start:.6f}", t=f"{end - start:.6f}")["a"]
    options = {"format": target.muxer, "copypriorss": 0, **target.muxer_options, **_sound(video, target)}
    process.run("ffmpeg", cut.output(f"file:{path}", **options).get_args())
    return path


def _sound(video: Video, target: Format) -> Options:
    """Copy each sound stream that the format can hold, convert the others."""
    options: dict[str, str | int] = {}
    names = {"acodec": "c:a", "audio_bitrate": "b:a"}
    for place, stream in enumerate(video.sound):
        chosen = {"acodec": "copy"} if stream.codec in target.copied_sound else target.other_sound
        options |= {f"{names[name]}:{place}": value for name, value in chosen.items()}
    return options


def _clocks(timeline: Timeline) -> Options:
    """Timescales that hold every timestamp of the pictures exactly and the offset of the sound to some 10 us.

    ffmpeg's default movie timescale of 1,000 would round a late start of the pictures to milliseconds.
    """
    ticks = timeline.tick.denominator
    movie = math.lcm(ticks, 48_000)
    return {
        "video_track_timescale": ticks,
        "movie_timescale": movie if movie <= FINEST else ticks,
        # IVF has no durations, and the last frame needs one.
        "bsf:v": f"setts=pts=PTS:dts=DTS:duration={timeline.last_duration}",
    }
