"""Cut: copy a source's packets into segments that begin at key frames, in one pass and without decoding anything."""

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from rotoscope.media import guard, process
from rotoscope.media.packets import Packets
from rotoscope.media.track import Track

NEVER = 2**31 - 2
"""A packet that does not come, at which ffmpeg shall cut where there is one segment only."""


@dataclass(frozen=True)
class Segments:
    """Where segments begin, as places of packets in decoding order, the first being 0; ticks taken off timestamps."""

    begins: list[int]
    offset: int


def plan_segments(packets: Packets, tick: Fraction, runs: Sequence[range]) -> tuple[Segments, list[range]]:
    """Segments of a source, and for each run of shown frames the segments that it needs to be decoded alone.

    A run needs everything from the last key frame that is shown no later than its first frame, to the last packet in
    decoding order that it shows. This holds for open GOPs too: frames that lead a key frame are shown before it.
    """
    order = sorted(range(len(packets.pts)), key=packets.pts.__getitem__)
    keys = [place for place in order if packets.key[place]]
    shown, reach, furthest = array("q"), array("q"), 0
    for place in order:
        if packets.shown[place]:
            furthest = max(furthest, place)
            shown.append(packets.pts[place])
            reach.append(furthest)
    needed = []
    for run in runs:
        before = bisect_right(keys, shown[run.start], key=packets.pts.__getitem__)
        needed.append((keys[before - 1] if before else 0, reach[run.stop - 1]))
    begins = sorted({0, *(first for first, _ in needed)})
    ranges = [range(bisect_left(begins, first), bisect_right(begins, last)) for first, last in needed]
    return Segments(begins, _offset(packets, tick)), ranges


def cut(track: Track, segments: Segments, folder: Path) -> list[Path]:
    """Write the segments of a track into NUT files in a folder. Raises ProcessFailed if ffmpeg cannot."""
    stream = guard.source(track.path, track.demuxer, itsoffset=int(-segments.offset * track.tick))[str(track.stream)]
    output = stream.output(
        f"file:{guard.pattern(folder, '%05d.nut')}",
        c="copy",
        copyts=None,
        copyinkf=None,
        format="segment",
        segment_format=guard.OWN,
        segment_format_options="write_index=0:avoid_negative_ts=disabled",
        segment_frames=",".join(map(str, segments.begins[1:])) or str(NEVER),
        avoid_negative_ts="disabled",
    )
    process.run("ffmpeg", output.get_args())
    return [folder / f"{number:05}.nut" for number in range(len(segments.begins))]


def _offset(packets: Packets, tick: Fraction) -> int:
    """Ticks taken off all timestamps: none, but where some are negative, which NUT cannot hold, whole seconds."""
    below = -min(packets.pts) * tick
    seconds = math.ceil(max(below, Fraction(0)) / tick.numerator) * tick.numerator
    return -int(seconds / tick)
