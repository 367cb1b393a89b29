"""Probe: read what a file is with ffprobe, or refuse it in one sentence."""

import hashlib
import json
import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from rotoscope.errors import OverBudget, ProcessFailed, Refused
from rotoscope.limits import limits
from rotoscope.media import pictures, process, timing
from rotoscope.media.guard import asked
from rotoscope.media.video import Colour, Cut, OtherStream, Video

ADVICE = "give a video file (mp4, mov, mkv, webm, avi, ts, ...) that has at least one frame"
HDR_TRANSFERS = {"smpte2084": "PQ", "arib-std-b67": "HLG"}

Facts = dict[str, Any]
"""What ffprobe says of a file: `format`, `streams`."""


def ask(path: Path) -> Facts:
    """What ffprobe says of a file. Raises Refused if it is no video, or none that can be read."""
    arguments = ["-show_streams", "-show_format", "-of", "json", *asked(path)]
    try:
        with process.Process("ffprobe", arguments, stdout=True, seconds=limits().probe_seconds) as child:
            answer = child.stdout.read()
            child.finish()
    except OverBudget as failure:
        raise Refused(f"{path.name} cannot be looked at: {failure} Convert it with another program first.") from None
    except ProcessFailed as failure:
        if not failure.blames_the_input:
            raise
        raise Refused(f"{path.name} {_what_it_is(path)}; {ADVICE}.") from None
    facts: Facts = json.loads(answer)
    return facts


def video_stream(path: Path, facts: Facts) -> dict[str, Any]:
    """The stream that is painted: the default one of those that are no cover picture. Raises Refused if none can be."""
    streams = facts["streams"]
    if len(streams) > limits().max_streams:
        raise Refused(f"{path.name} has {len(streams)} streams; the most is {limits().max_streams}.")
    moving = [s for s in streams if s.get("codec_type") == "video" and not s["disposition"]["attached_pic"]]
    if not moving:
        kinds = " and ".join(sorted({str(s.get("codec_type")) for s in streams})) or "nothing"
        raise Refused(f"{path.name} has no video stream, only {kinds}; {ADVICE}.")
    chosen: dict[str, Any] = max(moving, key=lambda s: s["disposition"]["default"])
    if "pix_fmt" not in chosen or not chosen.get("width"):
        raise Refused(f"{path.name} has a video stream that cannot be decoded; {ADVICE}.")
    if chosen["width"] * chosen["height"] > limits().max_pixels:
        size = f"{chosen['width']}x{chosen['height']}"
        raise Refused(
            f"{path.name} has pictures of {size}; make them smaller, the most is {limits().max_pixels} pixels."
        )
    _refuse_hdr(path, chosen)
    return chosen


def refuse_too_much(path: Path, frames: int, seconds: float, pixels: int) -> None:
    """Raises Refused for a source that is longer than it may be; pixels: of one picture."""
    most = limits()
    if seconds > most.max_seconds:
        raise Refused(
            f"{path.name} lasts {timing.clock(seconds)}; the most is {timing.clock(most.max_seconds)}; cut it."
        )
    if frames * pixels > most.max_video_pixels:
        raise Refused(
            f"{path.name} has {frames * pixels:.1e} pixels in all its frames; the most is {most.max_video_pixels:.1e}; "
            "make it smaller or cut it into parts."
        )


def describe(
    path: Path, facts: Facts, pts: list[int], tick: Fraction, last_duration: int, cut: Cut, sha256: Callable[[], str]
) -> Video:
    """The manifest of a file whose frames have these ascending timestamps."""
    stream = video_stream(path, facts)
    turn = _turn(path, stream)
    return Video(
        sha256=sha256(),
        name=path.name,
        size_bytes=path.stat().st_size,
        container=facts["format"]["format_name"],
        start_time=float(facts["format"].get("start_time", 0)),
        duration=float(facts["format"].get("duration", (pts[-1] - pts[0]) * tick)),
        stream=stream["index"],
        codec=stream["codec_name"],
        pixel_format=stream["pix_fmt"],
        width=stream["width"],
        height=stream["height"],
        rotation=turn[0],
        mirrored=turn[1],
        sample_aspect_ratio=stream.get("sample_aspect_ratio", "1:1"),
        field_order=stream.get("field_order", "progressive"),
        colour=_colour(stream),
        time_base=str(tick),
        frames=len(pts),
        timestamps=timing.compress(pts),
        last_duration=last_duration,
        language=stream.get("tags", {}).get("language"),
        title=stream.get("tags", {}).get("title"),
        others=[_other(s) for s in facts["streams"] if s["index"] != stream["index"]],
        cut=cut,
    )


def file_facts(path: Path) -> tuple[int, int]:
    """Size and time of change of a file that has bytes to read. Raises Refused for one that has not."""
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


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _what_it_is(path: Path) -> str:
    kind = pictures.kind(path)
    return f"is a picture ({kind}), not a video" if kind else "is not a video that can be read"


def _refuse_hdr(path: Path, stream: dict[str, Any]) -> None:
    transfer = HDR_TRANSFERS.get(stream.get("color_transfer", ""))
    if any("DOVI" in data.get("side_data_type", "") for data in stream.get("side_data_list", [])):
        transfer = "Dolby Vision"
    if transfer:
        raise Refused(
            f"{path.name} is HDR video ({transfer}), which the filters would flatten; convert it to SDR first "
            "(for instance with ffmpeg's zscale and tonemap filters)."
        )


def _turn(path: Path, stream: dict[str, Any]) -> tuple[Any, bool]:
    """How a player turns the picture: degrees clockwise, and whether it mirrors it, by the display matrix.

    Raises Refused for other angles than quarters.
    """
    matrices = [data["displaymatrix"] for data in stream.get("side_data_list", []) if "displaymatrix" in data]
    if not matrices:
        return 0, False
    rows = [[int(number) for number in row.partition(":")[2].split()] for row in matrices[0].split("\n") if row]
    (a, b, *_), (c, d, *_) = rows[:2]
    straight, crossed = b == c == 0 and a * d != 0, a == d == 0 and b * c != 0
    if not straight and not crossed:
        raise Refused(f"{path.name} is turned by another angle than quarters; turn it with another program first.")
    mirrored = a * d - b * c < 0
    if straight:
        return (0 if (a < 0) == mirrored else 180), mirrored
    return (90 if (b > 0) != mirrored else 270), mirrored


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
    kind = stream.get("codec_type", "unknown")
    if kind == "audio" and int(stream.get("sample_rate", 0)) == 0:
        kind = "empty"  # announced, but without a packet that says what it is
    return OtherStream(
        index=stream["index"],
        kind="cover" if stream["disposition"]["attached_pic"] else kind,
        codec=stream.get("codec_name"),
        language=stream.get("tags", {}).get("language"),
    )
