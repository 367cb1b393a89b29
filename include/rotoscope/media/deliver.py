"""Deliver: encode painted frames in an output format and mux them with what passes around the filters."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ffmpeg

from rotoscope.formats import Format
from rotoscope.media import process
from rotoscope.media.encode import Options, TimedFrames, exact, feed, pictures, tags
from rotoscope.media.timeline import Timeline
from rotoscope.media.track import Picture
from rotoscope.media.video import OtherStream, Video

LARGEST_TIMESCALE = 2**31 - 1


@contextmanager
def deliver(
    path: Path, source: Path, video: Video, target: Format, frames: Picture, timeline: Timeline
) -> Iterator[TimedFrames]:
    """Give a writer for the timeline's frames; when the block ends, `path` is the finished file.

    Sound, chapters and metadata come from `source` by copy where the format can hold them.
    Raises ProcessFailed if ffmpeg cannot encode or mux.
    """
    stored = Picture(target.pixel_format, even(frames.size))
    around = _around(source, video, timeline)
    output = ffmpeg.output(
        _with_aspect(pictures(frames, stored, timeline.tick, video.colour), video),
        around["a?"],  # optional, so that a silent source still gives its metadata
        f"file:{path}",
        format=target.muxer,
        map_metadata=1,
        map_chapters=1,
        **target.video,
        **target.muxer_options,
        **_sound(video.sound, target, timeline),
        **_clocks(timeline),
        **exact(stored, timeline.tick),
        **tags(video.colour),
    )
    with feed(output, frames, timeline.tick, timeline.shift) as timed:
        yield timed


def notices(video: Video, target: Format) -> list[str]:
    """One sentence for each thing of the source that the delivered file does not hold as it was."""
    said = []
    if "10" in video.pixel_format or "12" in video.pixel_format:
        said.append(f"The source has more than 8 bits a sample ({video.pixel_format}); the result has 8.")
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


def _with_aspect(shown: Any, video: Video) -> Any:
    """The pictures with the source's sample aspect ratio, turned with them."""
    across, _, down = video.sample_aspect_ratio.partition(":")
    if not across.isdigit() or not down.isdigit() or 0 in (int(across), int(down)):
        return shown
    return shown.filter("setsar", f"{down}/{across}" if video.rotation in (90, 270) else f"{across}/{down}")


def _around(source: Path, video: Video, timeline: Timeline) -> Any:
    if timeline.part is None:
        return process.source(source)
    # ffmpeg counts these from the start of the file, whatever its first timestamp is.
    start, end = (f"{float(second) - video.start_time:.6f}" for second in timeline.part)
    return process.source(source, ss=start, to=end)


def _sound(streams: list[OtherStream], target: Format, timeline: Timeline) -> Options:
    """Copy each sound stream that the format can hold, convert the others, and move a part's sound to zero."""
    options: dict[str, str | int] = {}
    names = {"acodec": "c:a", "audio_bitrate": "b:a"}
    for place, stream in enumerate(streams):
        copied = stream.codec in target.copied_sound
        chosen = {"acodec": "copy"} if copied else target.other_sound
        options |= {f"{names[name]}:{place}": value for name, value in chosen.items()}
        if timeline.shift:
            # An encoder's packets count samples, but the filter is told the source's time base there.
            a_second = "1/TB" if copied else str(stream.sample_rate)
            ticks = f"round({float(timeline.shift * timeline.tick):.6f}*{a_second})"
            options[f"bsf:a:{place}"] = f"setts=pts=PTS-{ticks}:dts=DTS-{ticks}"
    return options


def _clocks(timeline: Timeline) -> Options:
    """Timescales that hold every timestamp of the pictures exactly and the offset of the sound to some 10 us.

    ffmpeg's default movie timescale of 1,000 would round a late start of the pictures to milliseconds.
    A part keeps the source's clock inside ffmpeg, which interleaves by it, and is moved to zero on the way out.
    """
    ticks, shift = timeline.tick.denominator, timeline.shift
    movie = math.lcm(ticks, 48_000)
    return {
        "video_track_timescale": ticks,
        "movie_timescale": movie if movie <= LARGEST_TIMESCALE else ticks,
        # IVF has no durations, and the last frame needs one.
        "bsf:v": f"setts=pts=PTS-{shift}:dts=DTS-{shift}:duration={timeline.last_duration}",
    }
