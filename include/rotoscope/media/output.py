"""The output: everything that a result depends on besides its painted frames and its source."""

from dataclasses import dataclass
from fractions import Fraction

from rotoscope.formats import Format, Options
from rotoscope.media.timeline import Timeline
from rotoscope.media.track import Picture

FINEST_RATE = 1001
"""Denominators of frame rates, such as 30000/1001."""
HIGHEST_RATE = Fraction(240)
"""What AV1 encoders take."""


@dataclass(frozen=True)
class Output:
    """The format, ffmpeg's options for its encoder, the timeline, and what stored painted frames look like."""

    target: Format
    encoder: Options
    stored: Picture
    timeline: Timeline


def frame_rate(timeline: Timeline) -> Fraction:
    """Frames a second on average, for encoders that write it into their headers, where all chunks must agree."""
    shown = timeline.shown
    length = (shown[-1][1] - shown[0][1] + timeline.last_duration) * timeline.tick
    if length <= 0:
        return Fraction(25)
    return min(HIGHEST_RATE, max(Fraction(1, FINEST_RATE), (len(shown) / length).limit_denominator(FINEST_RATE)))
