"""Chunk planning: how many frames a mapped task paints."""

import math

SHORTEST_SECONDS = 5.0
"""A task costs the scheduler about 0.25 s, so a chunk below 5 s of work would waste more than a twentieth."""
LONGEST_SECONDS = 30.0
"""Longer chunks save nothing more, but lose more when a worker dies."""
CHUNKS_A_SLOT = 4
"""Enough of them that the slots end at about the same time."""
MOST_CHUNKS = 1000
"""Airflow maps at most 1,024 tasks by default."""


def plan_chunks(frames: int, seconds_a_frame: float, slots: int, chunk_frames: int | None = None) -> list[range]:
    """Cut frames 0 to `frames` into ranges of nearly equal length, in order and without gaps.

    seconds_a_frame: measured work of one slot for one frame; slots: tasks that run side by side; chunk_frames: a
    length to use instead, made longer only where it would give more than 1,000 chunks.
    """
    if chunk_frames is None:
        chunks = _good_number(frames, frames * seconds_a_frame, slots)
        return [range(frames * i // chunks, frames * (i + 1) // chunks) for i in range(chunks)]
    length = max(chunk_frames, math.ceil(frames / MOST_CHUNKS))
    return [range(start, min(start + length, frames)) for start in range(0, frames, length)]


def _good_number(frames: int, work: float, slots: int) -> int:
    seconds = min(max(work / (slots * CHUNKS_A_SLOT), SHORTEST_SECONDS), LONGEST_SECONDS)
    chunks = work / seconds
    if chunks > slots:
        chunks = chunks // slots * slots
    return max(1, min(int(chunks), frames, MOST_CHUNKS))
