"""Verify: a delivered file has every frame at its time and every sound stream, or it is not published."""

import math
from pathlib import Path

from rotoscope.errors import Mismatch, Refused
from rotoscope.media.probe import packet_entries, probe
from rotoscope.media.timeline import Timeline
from rotoscope.media.video import Video

SOUND_SECONDS = 0.2
"""Sound is cut at packets and encoders delay it; both are shorter than this."""


def verify(path: Path, source_path: Path, source: Video, timeline: Timeline) -> Video:
    """What was delivered. Raises Mismatch if it is not what the timeline asked for.

    Frame count and every timestamp must be equal; each sound stream must be there and start and end with the source's.
    """
    try:
        made, _ = probe(path)
    except Refused as refusal:
        raise Mismatch(f"The result cannot be used: {refusal}") from None
    expected = [pts * timeline.tick for _, pts in timeline.shown]
    actual = [pts * made.tick for pts in made.pts]
    if len(actual) != len(expected):
        raise Mismatch(f"The result has {len(actual)} frames where {len(expected)} were expected.")
    for place, (is_at, should_be) in enumerate(zip(actual, expected, strict=True)):
        if is_at != should_be:
            raise Mismatch(f"Frame {place} of the result is at {float(is_at)} s instead of {float(should_be)} s.")
    _verify_sound(path, made, source_path, source, timeline)
    return made


def _verify_sound(path: Path, made: Video, source_path: Path, source: Video, timeline: Timeline) -> None:
    heard, expected = made.sound, source.sound
    if len(heard) != len(expected):
        raise Mismatch(f"The result has {len(heard)} sound streams where the source has {len(expected)}.")
    for is_there, should_be in zip(heard, expected, strict=True):
        actual, wanted = _span(path, is_there.index), _span(source_path, should_be.index)
        if timeline.part is not None:
            begin, end = (float(second - timeline.part[0]) for second in timeline.part)
            start = float(timeline.part[0])
            wanted = (max(begin, wanted[0] - start), min(end, wanted[1] - start))
        if wanted[0] < wanted[1] and max(abs(a - b) for a, b in zip(actual, wanted, strict=True)) > SOUND_SECONDS:
            raise Mismatch(
                f"Sound stream {is_there.index} of the result goes from {actual[0]:.3f} s to {actual[1]:.3f} s "
                f"instead of {wanted[0]:.3f} s to {wanted[1]:.3f} s."
            )


def _span(path: Path, stream: int) -> tuple[float, float]:
    """When a stream starts and ends, in seconds; nothing if its packets have no times."""
    begin, end = math.inf, -math.inf
    for at, length in packet_entries(path, stream, "pts_time,duration_time"):
        if at != "N/A":
            begin = min(begin, float(at))
            end = max(end, float(at) + (0.0 if length == "N/A" else float(length)))
    return (begin, end) if begin <= end else (0.0, 0.0)
