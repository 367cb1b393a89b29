"""Verify: a delivered file has every frame at its time and every other stream, or it is not published."""

import csv
import io
import math
import zipfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from PIL import Image

from rotoscope.errors import Mismatch, Refused
from rotoscope.media import archive, probe
from rotoscope.media.guard import OWN
from rotoscope.media.output import Output
from rotoscope.media.packets import packet_entries, read_packets
from rotoscope.media.passage import Passage, passages
from rotoscope.media.source import Source
from rotoscope.media.timeline import Timeline
from rotoscope.media.video import Cut

SOUND_SECONDS = 0.2
"""Sound is cut at packets and encoders delay it; both are shorter than this."""
LAST_FRAME_SECONDS = 0.05
"""Containers round how long the last frame is shown."""
REORDERED = 3
"""Frames by which decoding runs ahead of showing."""
BESIDE = {"audio": "a", "subtitle": "s"}
"""Kinds of streams beside the pictures that are verified, and how ffmpeg names all streams of a kind."""
WEBP_TICK = Fraction(1, 1000)


@dataclass(frozen=True)
class Made:
    """What was delivered.

    manifest: as JSON, without the file's hash; av_offset_ms: by how much later than in the source each sound comes.
    """

    frames: int
    manifest: dict[str, Any]
    av_offset_ms: list[float]


def verify(path: Path, source: Source, output: Output) -> Made:
    """What was delivered. Raises Mismatch if it is not what was asked for.

    Frame count and every timestamp must be equal, as exactly as the container holds them; each stream that passes
    around the filters must be there, and sound must start and end with the source's and, copied, have all its packets.
    """
    if output.target.muxer == archive.MUXER:
        return _made(_archived_times(path), output, {"container": "zip"}, [])
    if output.target.muxer == "webp":
        return _made(_animated_times(path, output), output, {"container": "webp"}, [])
    try:
        facts = probe.ask(path)
        stream = probe.video_stream(path, facts)
    except Refused as refusal:
        raise Mismatch(f"The result cannot be used: {refusal}") from None
    demuxer = str(facts["format"]["format_name"]).partition(",")[0]
    with ThreadPoolExecutor() as pool:
        beside = [pool.submit(_beside, kind, path, demuxer, facts, source, output) for kind in BESIDE]
        packets = read_packets(path, demuxer, stream["index"])
    tick = Fraction(stream["time_base"])
    video = probe.describe(path, facts, packets.shown_pts(), tick, packets.last_duration, Cut(), lambda: "")
    times = [pts * tick for pts in video.pts]
    if "duration_ts" in stream and output.target.joined:
        _verify_length(stream["duration_ts"] * tick, output.timeline)
    sounds, _ = (_verify_beside(kind, *found.result(), output) for kind, found in zip(BESIDE, beside, strict=True))
    offsets = [_verify_sound(*sound, source, output.timeline) for sound in sounds]
    return _made(times, output, video.model_dump(mode="json"), offsets)


def _made(times: list[Fraction], output: Output, manifest: dict[str, Any], offsets: list[float]) -> Made:
    _verify_times(times, output)
    width, height = output.stored.size
    known = {"frames": len(times), "width": width, "height": height}
    return Made(len(times), manifest | known, offsets)


def _verify_times(times: list[Fraction], output: Output) -> None:
    expected = [pts * output.timeline.tick for _, pts in output.timeline.shown]
    if len(times) != len(expected):
        raise Mismatch(f"The result has {len(times)} frames where {len(expected)} were expected.")
    inexact = Fraction(output.target.tick or 0)
    begin = times[0] - expected[0] if output.target.muxer == "webp" else 0
    for place, (is_at, should_be) in enumerate(zip(times, expected, strict=True)):
        if abs(is_at - should_be - begin) > inexact:
            raise Mismatch(f"Frame {place} of the result is at {float(is_at)} s instead of {float(should_be)} s.")


def _verify_length(length: Fraction, timeline: Timeline) -> None:
    """The pictures last as long as they should, but for what B-frames shift in a container that counts them."""
    times = [pts for _, pts in timeline.shown]
    expected = (times[-1] + timeline.last_duration - times[0]) * timeline.tick
    longest = max((after - before for before, after in pairwise(times)), default=0) * timeline.tick
    if abs(length - expected) > LAST_FRAME_SECONDS + REORDERED * longest:
        raise Mismatch(f"The result's pictures last {float(length):.3f} s instead of {float(expected):.3f} s.")


def _beside(
    kind: str, path: Path, demuxer: str, facts: probe.Facts, source: Source, output: Output
) -> tuple[list["_Span"], list[tuple[Passage, "_Span"]]]:
    """The streams of a kind that have packets: the result's, and those that should have got there from the source."""
    kept = [one for one in passages(source.video, output.target) if one.stream.kind == kind]
    found = any(stream.get("codec_type") == kind for stream in facts["streams"])
    there = _spans(path, demuxer, BESIDE[kind]) if found else {}
    wanted = _source_spans(kind, source) if kept else {}
    return list(there.values()), [(one, wanted[one.stream.index]) for one in kept if one.stream.index in wanted]


def _source_spans(kind: str, source: Source) -> dict[int, "_Span"]:
    """The streams of a kind in the file that they come from, by their index in the source."""
    video = source.video
    if not video.is_mended or kind != "audio":
        return _spans(source.file, video.demuxer, BESIDE[kind])
    mended = _spans(source.pictures, OWN, BESIDE[kind])
    return {video.sound[place - 1].index: span for place, span in mended.items()}


def _verify_beside(
    kind: str, there: list["_Span"], wanted: list[tuple[Passage, "_Span"]], output: Output
) -> list[tuple["_Span", Passage, "_Span"]]:
    """Each stream of the result with the one that it was. Raises Mismatch if some are not there."""
    if len(there) == len(wanted):
        return [(span, *one) for span, one in zip(there, wanted, strict=True)]
    if output.timeline.part is None:
        raise Mismatch(f"The result has {len(there)} {kind} streams where {len(wanted)} were expected.")
    return []


def _verify_sound(actual: "_Span", passage: Passage, wanted: "_Span", source: Source, timeline: Timeline) -> float:
    """How much later, in milliseconds, a sound stream starts than it should."""
    video = source.video
    begin = (timeline.part[0] if timeline.part else video.origin * video.tick) + video.clock_start
    start, end = wanted.start - float(begin), wanted.end - float(begin)
    if timeline.part:
        start, end = max(0.0, start), min(float(timeline.part[1] - timeline.part[0]), end)
    elif passage.copied and not str(passage.stream.codec).startswith("pcm") and actual.packets != wanted.packets:
        raise Mismatch(
            f"Sound stream {actual.index} of the result has {actual.packets} packets instead of {wanted.packets}."
        )
    if start < end and max(abs(actual.start - start), abs(actual.end - end)) > SOUND_SECONDS:
        raise Mismatch(
            f"Sound stream {actual.index} of the result goes from {actual.start:.3f} s to {actual.end:.3f} s "
            f"instead of {start:.3f} s to {end:.3f} s."
        )
    return round((actual.start - start) * 1000, 3)


@dataclass(frozen=True)
class _Span:
    """When a stream starts and ends, in seconds, and its packets; from 0 to 0 if they have no times."""

    index: int
    start: float
    end: float
    packets: int


def _spans(path: Path, demuxer: str, streams: str) -> dict[int, _Span]:
    """The streams of a file that have packets, by ascending index, of those that ffmpeg knows by `streams`."""
    packets: Counter[int] = Counter()
    begins: dict[int, float] = {}
    ends: dict[int, float] = {}
    for stream, at, length in packet_entries(path, demuxer, streams, "stream_index,pts_time,duration_time"):
        index = int(stream)
        packets[index] += 1
        if at != "N/A":
            begins[index] = min(begins.get(index, math.inf), float(at))
            ends[index] = max(ends.get(index, -math.inf), float(at) + (0.0 if length == "N/A" else float(length)))
    return {
        index: _Span(index, begins.get(index, 0.0), ends.get(index, 0.0), count)
        for index, count in sorted(packets.items())
    }


def _archived_times(path: Path) -> list[Fraction]:
    with zipfile.ZipFile(path) as archived:
        rows = list(csv.DictReader(io.StringIO(archived.read(archive.TIMES).decode())))
        pictures = [name for name in archived.namelist() if name.endswith(".png")]
    if [row["picture"] for row in rows] != pictures:
        raise Mismatch(f"The archive has {len(pictures)} pictures where its list has {len(rows)}.")
    return [Fraction(row["seconds"]).limit_denominator(2**31) for row in rows]


def _animated_times(path: Path, output: Output) -> list[Fraction]:
    """When each picture of an animated WebP is shown, by the durations of those before it.

    Pictures that are equal are one in it, shown for longer: it counts as all of those that begin while it is shown.
    """
    begin = output.timeline.shown[0][1] * output.timeline.tick
    expected = [pts * output.timeline.tick - begin for _, pts in output.timeline.shown]
    times: list[Fraction] = []
    now = Fraction(0)
    with Image.open(path, formats=["WEBP"]) as animation:
        for number in range(getattr(animation, "n_frames", 1)):
            animation.seek(number)
            animation.load()
            times.append(now)
            until = now + Fraction(animation.info.get("duration", 0), 1000)
            if getattr(animation, "n_frames", 1) == 1:  # a video that stands still is a picture
                until = expected[-1] + 1
            times += [time for time in expected if now + WEBP_TICK < time < until - WEBP_TICK]
            now = until
    return times
