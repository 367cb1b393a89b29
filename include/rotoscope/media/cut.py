"""Cut: copy the packets that a run of frames needs into a segment of its own, without decoding anything."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import ffmpeg

from rotoscope.media import process
from rotoscope.media.probe import Packets
from rotoscope.media.video import Video

OUTPUTS = 50
"""Segments written in one pass over the source, so that open files stay few."""


@dataclass(frozen=True)
class Piece:
    """Packets `first` to `last`, both included, in decoding order; offset: ticks taken off their timestamps."""

    first: int
    last: int
    offset: int


def pieces(packets: Packets, pts: Sequence[int], runs: Sequence[range]) -> list[Piece]:
    """The packets that each run of frames (indices into `pts`) needs to be decoded alone.

    From the last key frame that is shown no later than the run's first frame, to the last packet in decoding order
    that the run shows. This holds for open GOPs too: frames that lead a key frame are shown before it.
    """
    keys = sorted((pts_of, place) for place, pts_of in enumerate(packets.pts) if packets.key[place])
    key_pts = [key for key, _ in keys]
    needed: dict[int, int] = {}
    for place, pts_of in enumerate(packets.pts):
        needed[pts_of] = place
    reach, furthest = [], 0
    for when in pts:
        furthest = max(furthest, needed[when])
        reach.append(furthest)
    found = []
    for run in runs:
        key = bisect_right(key_pts, pts[run.start]) - 1
        first = keys[key][1] if key >= 0 else 0
        found.append(Piece(first, reach[run.stop - 1], packets.dts[first]))
    return found


def cut(source: Path, video: Video, wanted: Sequence[tuple[Piece, Path]]) -> None:
    """Write each piece of the video stream into its NUT file, by copy. Raises ProcessFailed if ffmpeg cannot."""
    for begin in range(0, len(wanted), OUTPUTS):
        stream = process.source(source)[str(video.stream)]
        outputs = [
            stream.output(f"file:{path}", format="nut", c="copy", copyts=None, copyinkf=None, **{"bsf:v": _keep(piece)})
            for piece, path in wanted[begin : begin + OUTPUTS]
        ]
        process.run("ffmpeg", ffmpeg.merge_outputs(*outputs).get_args())


def _keep(piece: Piece) -> str:
    """Bitstream filters that drop all other packets (which is all that `noise` does here) and move the rest to zero."""
    kept = f"noise=drop='not(between(n,{piece.first},{piece.last}))'"
    return f"{kept},setts=pts=PTS-({piece.offset}):dts=DTS-({piece.offset})"
