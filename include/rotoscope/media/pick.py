"""Pick: some frames out of a track, without decoding the rest of it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rotoscope.media import nut
from rotoscope.media.cut import cut, plan_segments
from rotoscope.media.decode import decode
from rotoscope.media.packets import Packets
from rotoscope.media.track import Frame, Picture, Track


def pick(track: Track, packets: Packets, indices: Sequence[int], picture: Picture, folder: Path) -> list[Frame]:
    """The frames with these ascending indices, as they look in `picture`. folder: for segments, which stay there.

    Raises Mismatch if the track does not decode to what its packets promise.
    """
    return list(pick_runs(track, packets, [range(index, index + 1) for index in indices], picture, folder))


def pick_runs(track: Track, packets: Packets, runs: Sequence[range], picture: Picture, folder: Path) -> Iterator[Frame]:
    """The same for the frames of ascending runs, one after the other."""
    segments, ranges = plan_segments(packets, track.tick, runs)
    paths, pts = cut(track, segments, folder), packets.shown_pts()
    for run, held in zip(runs, ranges, strict=True):
        whole = folder / "picked.nut"
        with whole.open("wb") as joined:
            nut.join(paths[held.start : held.stop], joined)
        yield from decode(track.segment(whole, segments.offset), picture, pts[run.start : run.stop])
