"""Chunk planning: how many frames a mapped task paints."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from itertools import pairwise

SHORTEST_SECONDS = 5.0
"""A task costs the scheduler about 0.25 s, so a chunk below 5 s of work would waste more than a twentieth."""
LONGEST_SECONDS = 30.0
"""Longer chunks save nothing more, but lose more when a worker dies."""
CHUNKS_A_SLOT = 4
"""Enough of them that the slots end at about the same time."""
MOST_CHUNKS = 1000
"""Airflow maps at most 1,024 tasks by default."""


def plan_chunks(
    frames: int,
    seconds_a_frame: float,
    slots: int,
    chunk_frames: int | None = None,
    borders: Mapping[int, float] | None = None,
) -> list[range]:
    """Cut frames 0 to `frames` into ranges of nearly equal length, in order and without gaps.

    seconds_a_frame: measured work of one slot for one frame; slots: tasks that run side by side; chunk_frames: a
    length to use instead, made longer only where it would give more than 1,000 chunks; borders: how good it is to cut
    before a frame. A cut moves to the best border near it, so that no chunk is shorter than half the usual length, or
    longer than one and a half.
    """
    if chunk_frames is not None:
        length = max(chunk_frames, math.ceil(frames / MOST_CHUNKS))
        return [range(start, min(start + length, frames)) for start in range(0, frames, length)]
    chunks = _good_number(frames, frames * seconds_a_frame, slots)
    reach = frames // chunks // 4
    good = sorted((borders or {}).items())
    cuts = [_best(frames * i // chunks, reach, good) for i in range(1, chunks)]
    return [range(start, end) for start, end in pairwise([0, *cuts, frames])]


def _best(cut: int, reach: int, borders: list[tuple[int, float]]) -> int:
    """The best border within `reach` frames of a cut, the nearest of equally good ones, or the cut itself."""
    near = borders[bisect_left(borders, (cut - reach, 0.0)) : bisect_right(borders, (cut + reach, math.inf))]
    return max(near, key=lambda one: (one[1], -abs(one[0] - cut)))[0] if near else cut


def _good_number(frames: int, work: float, slots: int) -> int:
    seconds = min(max(work / (slots * CHUNKS_A_SLOT), SHORTEST_SECONDS), LONGEST_SECONDS)
    chunks = work / seconds
    if chunks > slots:
        chunks = chunks // slots * slots
    return max(1, min(int(chunks), frames, MOST_CHUNKS))
