"""Verify: a delivered file has every frame at its time and every sound stream, or it is not published."""

from fractions import Fraction
from pathlib import Path

from rotoscope.errors import Mismatch
from rotoscope.media.probe import probe
from rotoscope.media.timeline import Timeline
from rotoscope.media.video import Video

SOUND_SECONDS = 0.1
"""Sound is cut at packets, which are shorter than this."""


def verify(path: Path, source: Video, timeline: Timeline) -> Video:
    """What was delivered. Raises Mismatch if it is not what the timeline asked for.

    Frame count and every timestamp must be equal, the sound streams as many, and the length that of the source.
    """
    made, _ = probe(path)
    expected = [pts * timeline.tick for _, pts in timeline.shown]
    actual = [pts * made.tick for pts in made.pts]
    if len(actual) != len(expected):
        raise Mismatch(f"The result has {len(actual)} frames where {len(expected)} were expected.")
    for place, (is_at, should_be) in enumerate(zip(actual, expected, strict=True)):
        if is_at != should_be:
            raise Mismatch(f"Frame {place} of the result is at {float(is_at)} s instead of {float(should_be)} s.")
    sounds = [sum(other.kind == "audio" for other in video.others) for video in (source, made)]
    if sounds[0] != sounds[1]:
        raise Mismatch(f"The result has {sounds[1]} sound streams where the source has {sounds[0]}.")
    _compare_length(source, made, timeline)
    return made


def _compare_length(source: Video, made: Video, timeline: Timeline) -> None:
    shown = (timeline.shown[-1][1] + timeline.last_duration - timeline.shown[0][1]) * timeline.tick
    if timeline.part is None:
        shown = max(shown, Fraction(source.duration))
    if made.duration > shown + Fraction(SOUND_SECONDS) + timeline.tick * timeline.last_duration:
        raise Mismatch(f"The result lasts {made.duration:.3f} s instead of {float(shown):.3f} s.")
