import itertools

import pytest

from rotoscope.chunks import LONGEST_SECONDS, MOST_CHUNKS, SHORTEST_SECONDS, plan_chunks


@pytest.mark.parametrize("frames", [1, 2, 131, 132, 1500, 432_000])
@pytest.mark.parametrize("seconds", [1e-6, 0.01, 0.3, 20.0])
@pytest.mark.parametrize("slots", [1, 2, 16])
@pytest.mark.parametrize("length", [None, 1, 7, 10_000_000])
def test_chunks_cover_every_frame_once_and_in_order(
    frames: int, seconds: float, slots: int, length: int | None
) -> None:
    chunks = plan_chunks(frames, seconds, slots, length)
    assert chunks[0].start == 0
    assert chunks[-1].stop == frames
    assert all(a.stop == b.start for a, b in itertools.pairwise(chunks))
    assert all(len(chunk) > 0 for chunk in chunks)
    assert len(chunks) <= MOST_CHUNKS


def test_a_chunk_has_at_least_five_seconds_of_work_and_the_slots_get_equal_shares() -> None:
    chunks = plan_chunks(1500, 0.2, slots=2)
    assert len(chunks) % 2 == 0
    assert all(SHORTEST_SECONDS <= len(chunk) * 0.2 <= LONGEST_SECONDS + 10 for chunk in chunks)


@pytest.mark.parametrize("slots", [1, 2, 3, 16])
@pytest.mark.parametrize("frames", [60, 101, 500, 800])
def test_no_automatic_chunk_is_shorter_than_five_seconds_of_work(frames: int, slots: int) -> None:
    assert min(len(chunk) * 0.1 for chunk in plan_chunks(frames, 0.1, slots)) >= SHORTEST_SECONDS - 0.1


def test_little_work_is_one_chunk() -> None:
    assert plan_chunks(500, 0.001, slots=8) == [range(500)]


def test_a_given_length_is_kept() -> None:
    assert [len(chunk) for chunk in plan_chunks(48, 1.0, 2, chunk_frames=7)] == [7] * 6 + [6]
