"""Cut: copy the packets that a run of frames needs into a segment of its own, without decoding anything."""

import math
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import ffmpeg

from rotoscope.media import process
from rotoscope.media.probe import Packets
from rotoscope.media.video import Video

OUTPUTS = 16
"""Segments written in one pass over the source; each takes a third of a megabyte of ffmpeg's memory."""


@dataclass(frozen=True)
class Piece:
    """Packets `first` to `last`, both included, in decoding order; offset: ticks taken off their timestamps."""

    first: int
    last: int
    offset: int


def pieces(packets: Packets, video: Video, runs: Sequence[range]) -> list[Piece]:
    """The packets that each run of frames of the video needs to be decoded alone.

    From the last key frame that is shown no later than the run's first frame, to the last packet in decoding order
    that the run shows. This holds for open GOPs too: frames that lead a key frame are shown before it.
    """
    order = sorted(range(len(packets.pts)), key=packets.pts.__getitem__)
    keys = [place for place in order if packets.key[place]]
    reach, furthest = array("q"), 0
    for place in order:
        if packets.shown[place]:
            furthest = max(furthest, place)
            reach.append(furthest)
    pts = video.pts
    offset = _offset(packets, video.tick)
    found = []
    for run in runs:
        before = bisect_right(keys, pts[run.start], key=packets.pts.__getitem__)
        found.append(Piece(keys[before - 1] if before else 0, reach[run.stop - 1], offset))
    return found


def cut(source: Path, video: Video, wanted: Sequence[tuple[Piece, Path]]) -> None:
    """Write each piece of the video stream into its NUT file, by copy. Raises ProcessFailed if ffmpeg cannot."""
    for begin in range(0, len(wanted), OUTPUTS):
        batch = wanted[begin : begin + OUTPUTS]
        stream = process.source(source, itsoffset=int(-batch[0][0].offset * video.tick))[str(video.stream)]
        copying = {"format": "nut", "c": "copy", "copyts": None, "copyinkf": None, "avoid_negative_ts": "disabled"}
        outputs = [
            # All that `noise` does here is to drop the packets of the others.
            stream.output(
                f"file:{path}", **copying, **{"bsf:v": f"noise=drop='not(between(n,{piece.first},{piece.last}))'"}
            )
            for piece, path in batch
        ]
        process.run("ffmpeg", ffmpeg.merge_outputs(*outputs).get_args())


def _offset(packets: Packets, tick: Fraction) -> int:
    """Ticks taken off all timestamps: none, but where some are negative, which NUT cannot hold, whole seconds."""
    below = -min(packets.pts) * tick
    seconds = math.ceil(max(below, Fraction(0)) / tick.numerator) * tick.numerator
    return -int(seconds / tick)
