"""Probe: read what a file is with ffprobe, without decoding it, or refuse it in one sentence."""

import hashlib
import json
import os
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from rotoscope.errors import ProcessFailed, Refused
from rotoscope.media import process, timing
from rotoscope.media.video import Colour, OtherStream, Video

PROBE_SECONDS = 60
PACKETS_SECONDS = 1800
REFRESH_SECONDS = 30
MOST_PIXELS = 8192 * 8192
ADVICE = "give a video file (mp4, mov, mkv, webm, avi, ts, ...) that has at least one frame"
PICTURES = ("PNG", "JPEG", "WEBP", "TIFF", "BMP")
HDR_TRANSFERS = {"smpte2084": "PQ", "arib-std-b67": "HLG"}


@dataclass
class Packets:
    """The video stream's packets in decoding order, as parallel columns; times in ticks."""

    pts: "array[int]" = field(default_factory=lambda: array("q"))
    key: bytearray = field(default_factory=bytearray)
    shown: bytearray = field(default_factory=bytearray)
    last_duration: int = 0


def probe(path: Path) -> tuple[Video, Packets]:
    """Everything known of a video file and the packets that it is cut by.

    Raises Refused, naming the file and what to do, for anything that is not a video with frames and timestamps.
    """
    before = _file_facts(path)
    facts = _ask(path)
    stream = _video_stream(path, facts["streams"])
    _refuse_hdr(path, stream)
    packets = read_packets(path, stream["index"])
    if _has_refresh(path, stream, packets):
        packets.key = bytearray([1]) + bytes(len(packets.key) - 1)
    shown = sorted(pts for pts, is_shown in zip(packets.pts, packets.shown, strict=True) if is_shown)
    if not shown:
        raise Refused(f"{path.name} has a video stream without a single frame; {ADVICE}.")
    video = _describe(path, facts, stream, shown, packets.last_duration)
    if _file_facts(path) != before:
        raise Refused(f"{path.name} is still being written; ask again when it is complete.")
    return video, packets


def read_packets(path: Path, stream: int) -> Packets:
    """The packets of the video stream, read without decoding. Raises Refused if one has no timestamp."""
    packets = Packets()
    latest = -(2**63)
    for pts, duration, flags in packet_entries(path, stream, "pts,duration,flags"):
        if pts == "N/A":
            raise Refused(
                f"{path.name} has frames without timestamps; write them anew with "
                "`ffmpeg -fflags +genpts -i IN -c copy OUT.mp4` and give that file."
            )
        latest = max(latest, int(pts))
        packets.pts.append(int(pts))
        packets.key.append("K" in flags)
        packets.shown.append("D" not in flags)
        if latest == int(pts):
            packets.last_duration = 0 if duration == "N/A" else int(duration)
    return packets


def packet_entries(path: Path, stream: int, names: str) -> Iterator[list[str]]:
    """The entries of these names (ffprobe's, in its order) for each packet of a stream, in decoding order."""
    for line in _lines(path, stream, f"packet={names}", PACKETS_SECONDS):
        yield line.split(",")[: names.count(",") + 1]


def _lines(path: Path, stream: int, entries: str, limit: float, *options: str) -> Iterator[str]:
    """What ffprobe says of each packet or frame of a stream, in CSV."""
    arguments = [*options, "-select_streams", str(stream), "-show_entries", entries, "-of", "csv=p=0", *_guard(path)]
    with process.Process("ffprobe", arguments, stdout=True, limit=limit) as child:
        for line in child.stdout:
            if line.strip():  # an empty one follows what has side data
                yield line.decode().strip()
        child.finish()


def _file_facts(path: Path) -> tuple[int, int]:
    """Size and time of change of a file that has bytes to read."""
    try:
        facts = path.stat()
    except FileNotFoundError:
        raise Refused(f"There is no file {path}; check the path, as the machine that runs the task sees it.") from None
    except OSError as error:
        raise Refused(f"{path} cannot be reached ({error.strerror}); check the path and who may read it.") from None
    if not path.is_file():
        raise Refused(f"{path} is not a file; give the path of one video file.")
    if not os.access(path, os.R_OK):
        raise Refused(f"{path} may not be read by the user who runs the task; change its permissions.")
    if facts.st_size == 0:
        raise Refused(f"{path.name} is empty (0 bytes); copy it again from where it came from.")
    return facts.st_size, facts.st_mtime_ns


def _guard(path: Path) -> list[str]:
    return ["-protocol_whitelist", "file,pipe", "-format_whitelist", process.CONTAINERS, f"file:{path}"]


def _ask(path: Path) -> dict[str, Any]:
    arguments = ["-show_streams", "-show_format", "-of", "json", *_guard(path)]
    try:
        with process.Process("ffprobe", arguments, stdout=True, limit=PROBE_SECONDS) as child:
            answer = child.stdout.read()
            child.finish()
    except ProcessFailed as failure:
        if failure.status is None or failure.status < 0:
            raise  # that says nothing of the file
        raise Refused(f"{path.name} {_what_it_is(path)}; {ADVICE}.") from None
    facts: dict[str, Any] = json.loads(answer)
    return facts


def _has_refresh(path: Path, stream: dict[str, Any], packets: Packets) -> bool:
    """Whether packets are marked as key that only begin a refresh, whose pictures are whole some frames later.

    Live encoders do so (intra refresh), and decoding can begin only at the first packet then. The decoder knows: told
    to show key frames alone, it leaves those out. A look at the start of the stream tells for all of it.
    """
    if stream["codec_name"] not in ("h264", "hevc") or sum(packets.key) < 2:
        return False
    keys_only = ("-skip_frame", "nokey", "-read_intervals", f"%+{REFRESH_SECONDS}")
    shown = {line.strip(",") for line in _lines(path, stream["index"], "frame=pts", PROBE_SECONDS, *keys_only)}
    until = min(packets.pts) + REFRESH_SECONDS / 2 / Fraction(stream["time_base"])
    return any(key and pts < until and str(pts) not in shown for pts, key in zip(packets.pts, packets.key, strict=True))


def _what_it_is(path: Path) -> str:
    try:
        with Image.open(path, formats=PICTURES) as picture:
            return f"is a picture ({picture.format}), not a video"
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
        return "is not a video that can be read"


def _video_stream(path: Path, streams: list[dict[str, Any]]) -> dict[str, Any]:
    pictures = [s for s in streams if s.get("codec_type") == "video" and not s["disposition"]["attached_pic"]]
    if not pictures:
        kinds = " and ".join(sorted({str(s.get("codec_type")) for s in streams})) or "nothing"
        raise Refused(f"{path.name} has no video stream, only {kinds}; {ADVICE}.")
    chosen = max(pictures, key=lambda s: s["disposition"]["default"])
    if "pix_fmt" not in chosen or not chosen.get("width"):
        raise Refused(f"{path.name} has a video stream that cannot be decoded; {ADVICE}.")
    if chosen["width"] * chosen["height"] > MOST_PIXELS:
        size = f"{chosen['width']}x{chosen['height']}"
        raise Refused(f"{path.name} has pictures of {size}; make them smaller, the most is 8192x8192.")
    return chosen


def _refuse_hdr(path: Path, stream: dict[str, Any]) -> None:
    transfer = HDR_TRANSFERS.get(stream.get("color_transfer", ""))
    if transfer:
        raise Refused(
            f"{path.name} is HDR video ({transfer}), which the filters would flatten; convert it to SDR first "
            "(for instance with ffmpeg's zscale and tonemap filters)."
        )


def _describe(path: Path, facts: dict[str, Any], stream: dict[str, Any], pts: list[int], last_duration: int) -> Video:
    return Video(
        sha256=file_sha256(path),
        name=path.name,
        size_bytes=path.stat().st_size,
        container=facts["format"]["format_name"],
        start_time=float(facts["format"].get("start_time", 0)),
        duration=float(facts["format"].get("duration", (pts[-1] - pts[0]) * Fraction(stream["time_base"]))),
        stream=stream["index"],
        codec=stream["codec_name"],
        pixel_format=stream["pix_fmt"],
        width=stream["width"],
        height=stream["height"],
        rotation=_rotation(stream),
        sample_aspect_ratio=stream.get("sample_aspect_ratio", "1:1"),
        colour=_colour(stream),
        time_base=stream["time_base"],
        frames=len(pts),
        timestamps=timing.compress(pts),
        last_duration=last_duration,
        others=[_other(s) for s in facts["streams"] if s["index"] != stream["index"]],
    )


def _rotation(stream: dict[str, Any]) -> Any:
    """Clockwise, from the display matrix, whose angle counts anticlockwise."""
    angles = [data["rotation"] for data in stream.get("side_data_list", []) if "rotation" in data]
    return round(-angles[0] / 90) * 90 % 360 if angles else 0


def _colour(stream: dict[str, Any]) -> Colour:
    def said(key: str) -> str | None:
        value = stream.get(key)
        return None if value in (None, "unknown", "reserved", "gbr") else str(value)

    return Colour(
        matrix=said("color_space"),
        primaries=said("color_primaries"),
        transfer=said("color_transfer"),
        range=said("color_range"),
    )


def _other(stream: dict[str, Any]) -> OtherStream:
    return OtherStream(
        index=stream["index"],
        kind=stream.get("codec_type", "unknown"),
        codec=stream.get("codec_name"),
        language=stream.get("tags", {}).get("language"),
    )


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
