"""The quality report of a result: what was verified, and what was measured on the way."""

from collections.abc import Sequence
from typing import Any

MEASURES = ("source_warping_error", "warping_error", "ssim")


def report(
    expected: int, frames: int, av_offset_ms: Sequence[float], chunks: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """The report as a JSON document. chunks: the painted chunks' records.

    av_offset_ms: by how much each sound stream comes later, against the pictures, than in the source. Warping errors
    are means over one pair of frames a chunk; ssim, of one frame a chunk, is there only where nothing was painted.
    """
    means = {name: [chunk[name] for chunk in chunks if name in chunk] for name in MEASURES}
    return {
        "schema_version": 1,
        "frames": {"expected": expected, "result": frames},
        "av_offset_ms": list(av_offset_ms),
        **{name: round(sum(values) / len(values), 6) for name, values in means.items() if values},
        "damage": [chunk["damage"] for chunk in chunks if "damage" in chunk],
    }
