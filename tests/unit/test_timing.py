from fractions import Fraction

import pytest

from rotoscope.media import timing


@pytest.mark.parametrize(
    "pts", [[0], [5, 6], [0, 512, 1024], [0, 33, 67, 100, 133], [-3, 0, 900, 901, 902], list(range(0, 90, 3))]
)
def test_runs_give_back_every_timestamp(pts: list[int]) -> None:
    assert timing.expand(timing.compress(pts)) == pts


def test_a_constant_rate_is_one_run() -> None:
    assert timing.compress(range(100, 100 + 3000 * 40, 40)) == [(100, 40, 3000)]


def test_between_counts_from_the_first_frame_and_leaves_out_the_end() -> None:
    pts = [100, 110, 120, 130]
    tick = Fraction(1, 10)
    assert timing.between(pts, tick, Fraction(1), Fraction(3)) == range(1, 3)
    assert timing.between(pts, tick, None, None) == range(4)


def test_between_takes_the_frame_that_is_shown_where_the_next_one_is_far() -> None:
    assert timing.between([0, 10, 500], Fraction(1, 10), Fraction(3), Fraction(9)) == range(1, 2)
    assert timing.between([0, 10, 500], Fraction(1, 10), Fraction(60), None) == range(2, 3)


@pytest.mark.parametrize(
    ("tick", "rate"), [((1, 12800), (60, 1)), ((1, 1000), (30000, 1001)), ((1001, 30000), (25, 1))]
)
def test_common_tick_holds_both_clocks_in_whole_numbers(tick: tuple[int, int], rate: tuple[int, int]) -> None:
    fine = timing.common_tick(Fraction(*tick), Fraction(*rate))
    assert (Fraction(*tick) / fine).denominator == 1
    assert (1 / Fraction(*rate) / fine).denominator == 1


def test_a_higher_rate_repeats_and_a_lower_one_leaves_out() -> None:
    pts = [0, 40, 80, 120]
    tick = Fraction(1, 1000)
    assert [frame for frame, _ in timing.resample(pts, 40, tick, Fraction(50))] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert timing.resample(pts, 40, tick, Fraction(25, 2)) == [(0, 0), (2, 80)]


def test_a_gap_shows_the_frame_before_it() -> None:
    shown = timing.resample([0, 40, 1000], 40, Fraction(1, 1000), Fraction(25))
    assert [frame for frame, _ in shown] == [0] + [1] * 24 + [2]


def test_clock() -> None:
    assert [timing.clock(seconds) for seconds in (0, 12.9, 65, 3723)] == ["00:00", "00:12", "01:05", "1:02:03"]
