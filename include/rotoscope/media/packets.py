"""Packets: what a container says of a stream's frames, read without decoding any."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rotoscope.errors import Refused
from rotoscope.limits import limits
from rotoscope.media import process
from rotoscope.media.guard import asked

UNKNOWN = -(2**63)
"""The timestamp of a packet that has none."""


@dataclass
class Packets:
    """A video stream's packets in decoding order, as parallel columns; times in ticks.

    A packet is not shown if it is only there for others (before an edit), or if it is empty.
    """

    pts: "array[int]" = field(default_factory=lambda: array("q"))
    key: bytearray = field(default_factory=bytearray)
    shown: bytearray = field(default_factory=bytearray)
    last_duration: int = 0

    def shown_pts(self) -> list[int]:
        """The timestamps of those that are shown, ascending."""
        return sorted(pts for pts, is_shown in zip(self.pts, self.shown, strict=True) if is_shown)

    def key_pts(self) -> list[int]:
        """The timestamps of the key frames that are shown, ascending."""
        return sorted(pts for pts, key, shown in zip(self.pts, self.key, self.shown, strict=True) if key and shown)


def read_packets(path: Path, demuxer: str, stream: int) -> Packets:
    """The packets of the video stream. Raises ProcessFailed if ffprobe cannot read them to the end.

    Raises Refused if there are more than may be.
    """
    packets = Packets()
    latest = UNKNOWN
    for pts, duration, size, flags in packet_entries(path, demuxer, str(stream), "pts,duration,size,flags"):
        at = UNKNOWN if pts == "N/A" else int(pts)
        packets.pts.append(at)
        if len(packets.pts) > limits().max_frames:
            raise Refused(f"{path.name} has more frames than {limits().max_frames}, the most; cut it into parts.")
        packets.key.append("K" in flags)
        packets.shown.append("D" not in flags and size != "0")
        latest = max(latest, at)
        if latest == at:
            packets.last_duration = 0 if duration == "N/A" else int(duration)
    return packets


def packet_entries(path: Path, demuxer: str, streams: str, names: str) -> Iterator[list[str]]:
    """The entries of these names (ffprobe's, in its order) for each packet, in the order of the file."""
    for line in lines(path, demuxer, streams, f"packet={names}"):
        yield line.split(",")[: names.count(",") + 1]


def lines(path: Path, demuxer: str, streams: str, entries: str, *options: str) -> Iterator[str]:
    """What ffprobe says of each packet or frame of some streams, in CSV.

    streams: a specifier of ffmpeg's, such as `0` for the first or `a` for all sounds.
    """
    arguments = [*options, "-select_streams", streams, "-show_entries", entries, "-of", "csv=p=0"]
    with process.Process("ffprobe", [*arguments, *asked(path, demuxer)], stdout=True) as child:
        for line in child.stdout:
            if line.strip():  # an empty one follows what has side data
                yield line.decode().strip()
        child.finish()
