"""The lossless copy: a source's pictures encoded anew where its own packets cannot be cut.

Where the source's clock is broken its sound goes with them, so that what ffmpeg mends, it mends for both alike.
"""

from pathlib import Path
from typing import Any

from rotoscope.media import guard, process
from rotoscope.media.decode import converted, exact_times, unchanged
from rotoscope.media.encode import lossless
from rotoscope.media.pixels import layout_name, working_format
from rotoscope.media.track import Picture, Track

KEY_FRAMES = 48
"""Frames between key frames of the copy, so that its segments can be short."""
ASCENDING = (
    "st(0,if(isnan(PTS),if(eq(N,0),0,PREV_OUTPTS+1),PTS));"
    "if(eq(N,0),ld(0),if(gt(ld(0),PREV_OUTPTS),ld(0),PREV_OUTPTS+1))"
)
"""A frame whose time is missing, or not after that of the one before, comes one tick after that one."""


def write_lossless(track: Track, sound: int, target: Path) -> None:
    """Write a source's pictures, upright or not as they lie there, and its `sound` streams by copy into a NUT file.

    Raises ProcessFailed if it cannot be decoded at all.
    """
    clock = f"{track.tick.numerator}/{track.tick.denominator}"
    opened = guard.source(track.path, track.demuxer, fflags="+genpts", noautorotate=None)
    frames = opened[str(track.stream)].filter("settb", clock).filter("setpts", ASCENDING)
    stored = Picture(working_format(track.pixel_format), track.stored_size)
    same = stored.pixel_format == layout_name(track.pixel_format)
    frames = unchanged(frames) if same else converted(frames, track, stored)
    options: dict[str, Any] = {**lossless(stored), **exact_times(track.tick), "c:a": "copy"}
    options["avoid_negative_ts"] = "make_non_negative"  # for sound that starts before zero; both move alike
    if options["vcodec"] != "ffv1":
        options["g"] = KEY_FRAMES
    streams = [frames, *(opened[f"a:{number}"] for number in range(sound))]
    arguments = guard.output(streams, target, **options)
    process.run("ffmpeg", arguments, pixels=stored.pixels)
