"""Steady motion: paint that moves with what it is on, the same however the work is cut."""

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from rotoscope import reference
from rotoscope.errors import Refused
from rotoscope.filters.carrying import Planes
from rotoscope.filters.temporal import Steady, steadied
from rotoscope.flow import EXACT, Frame, flow, grey_of, inside, inverse, visible, warped
from rotoscope.quality.warping import flow_between, small, warping_error
from rotoscope.request import Request
from rotoscope.steps.paint import paint_chunk
from rotoscope.steps.split import split
from rotoscope.store.folder import FolderStore
from tests.media import frame_hashes
from tests.unit.test_steps import RUN, paint_all, request_for

SIZE = (320, 192)
Frames = list[Frame]


def scene(seed: int) -> Frame:
    """A picture of many things, larger than a frame."""
    noise = np.random.default_rng(seed).integers(0, 256, (60, 90, 3), np.uint8)
    return cv2.resize(noise, (720, 480), interpolation=cv2.INTER_CUBIC)


def moving(picture: Frame, frames: int, step: int = 2) -> Frames:
    """A camera that moves to the right over a picture."""
    return [np.ascontiguousarray(picture[40 : 40 + SIZE[1], at : at + SIZE[0]]) for at in range(0, frames * step, step)]


class Flickering:
    """A painter whose paint changes at random from frame to frame; keeps what it painted."""

    def __init__(self) -> None:
        self.painted: dict[int, Frame] = {}

    def __call__(self, frames: Iterable[tuple[int, Frame]]) -> Iterator[tuple[int, Frame, Frame]]:
        for index, frame in frames:
            noise = np.random.default_rng(index).integers(-60, 61, (24, 40, 3)).astype(np.float32)
            strokes = cv2.resize(noise, (frame.shape[1], frame.shape[0]), interpolation=cv2.INTER_CUBIC)
            top = np.iinfo(frame.dtype).max
            self.painted[index] = np.clip(frame + strokes * (top / 255), 0, top).astype(frame.dtype)
            yield index, frame, self.painted[index]


def steadily(frames: Frames, dial: float, period: int = 8, alone: bool = False) -> tuple[Frames, dict[int, Frame]]:
    """The frames painted steadily, and those of them that were painted at all."""
    painter = Flickering()
    done = list(steadied(enumerate(frames), painter, Steady(period, dial, alone), 2))
    assert [index for index, _, _ in done] == list(range(len(frames)))
    assert all(source is frame for (_, source, _), frame in zip(done, frames, strict=True))
    return [painted for _, _, painted in done], painter.painted


def flicker(source: Frames, painted: Frames) -> float:
    pairs = zip(source, source[1:], painted, painted[1:], strict=False)
    return float(
        np.mean([warping_error(small(c), small(d), *flow_between(small(a), small(b))) for a, b, c, d in pairs])
    )


def test_flow_finds_motion_and_rests_where_nothing_moves() -> None:
    before, after = (grey_of(frame, 320) for frame in moving(scene(1), 2, step=4))
    found, back = flow(before, after), flow(after, before)
    assert np.median(found[..., 0]) == pytest.approx(-4, abs=0.3)
    seen = visible(found, back)
    assert seen.mean() > 0.9
    assert not inside(found)[8:-8, :3].any()
    assert inside(found)[8:-8, 8:-8].all()
    assert np.abs(warped(after, found)[seen].astype(int) - before[seen]).mean() < 3
    noisy = np.clip(before + np.random.default_rng(2).normal(0, 2, before.shape), 0, 255).astype(np.uint8)
    assert not flow(before, noisy, EXACT).any()
    still = moving(scene(1), 1)[0]
    noisy = np.clip(still + np.random.default_rng(2).normal(0, 4, still.shape), 0, 255).astype(np.uint8)
    assert not flow(grey_of(still, 160), grey_of(noisy, 160)).any()


def test_what_is_drawn_and_does_not_change_rests_whatever_moves_elsewhere() -> None:
    """Bars of flat colour above water: most of what DIS finds moves, also in what has nothing to be found by."""
    bars = np.repeat(np.repeat(np.random.default_rng(3).integers(0, 256, (1, 16, 3), np.uint8), 130, 0), 20, 1)
    water = moving(scene(5), 2, step=6)
    here, there = (grey_of(np.vstack([bars, frame[:62]]), 160) for frame in water)
    found = flow(here, there)
    assert np.median(np.abs(found[70:, 8:-8, 0] + 3)) < 0.5, "the water moves"
    rests = (np.abs(found[:55]).max(axis=2) == 0).mean()
    assert rests > 0.9


def test_the_inverse_of_flow_leads_home_but_from_what_was_uncovered() -> None:
    out = np.zeros((60, 80, 2), np.float32)
    out[20:40, 20:40] = 6, 2  # a square that moves over what rests
    back = inverse(out)
    assert np.array_equal(back[22:40, 26:40], np.full((18, 14, 2), (-6, -2), np.float32))
    uncovered = np.zeros(out.shape[:2], bool)
    uncovered[20:40, 20:40], uncovered[22:42, 26:46] = True, False
    assert np.array_equal(visible(back, out), ~uncovered)


@pytest.mark.parametrize(("dial", "alone"), [(1.0, False), (0.0, True), (1.0, True)])
def test_paint_that_flickers_is_steady_afterwards(dial: float, alone: bool) -> None:
    source = moving(scene(1), 20)
    painted, by_itself = steadily(source, dial, alone=alone)
    frame_by_frame, _ = steadily(source, 0.0)
    assert flicker(source, painted) < 0.3 * flicker(source, frame_by_frame)
    assert len(by_itself) == (pytest.approx(4, abs=2) if alone else 20)


def test_key_frames_alone_are_the_steadier_the_higher_the_dial() -> None:
    """Turning about a point, which flow finds the better the more pixels it looks at."""
    middle = (360, 240)
    turned = [
        cv2.warpAffine(scene(1), cv2.getRotationMatrix2D(middle, 0.7 * n, 1 - 0.004 * n), (720, 480)) for n in range(17)
    ]
    source = [np.ascontiguousarray(frame[144:336, 200:520]) for frame in turned]
    amounts = [flicker(source, steadily(source, dial, 16, alone=True)[0]) for dial in (0.0, 0.5, 1.0)]
    assert amounts[0] > amounts[1] > amounts[2]


def test_the_dial_goes_from_frame_by_frame_to_steady() -> None:
    source = moving(scene(1), 12)
    amounts = []
    for dial in (0.0, 0.3, 0.7, 1.0):
        painted, by_itself = steadily(source, dial)
        amounts.append(flicker(source, painted))
        if dial == 0:
            assert all(np.array_equal(one, by_itself[index]) for index, one in enumerate(painted))
    assert amounts == sorted(amounts, reverse=True)


def test_contrast_stays() -> None:
    source = moving(scene(1), 17)
    painted, by_itself = steadily(source, 1.0)
    assert np.std(painted) == pytest.approx(np.std([by_itself[index] for index in range(17)]), rel=0.05)


@pytest.mark.parametrize("alone", [False, True])
def test_sharpness_stays_where_strokes_lie_on_a_lattice(alone: bool) -> None:
    """Networks double pictures, which leaves a pattern of two pixels in paint; the camera leads it off its rows."""
    source = moving(scene(1), 17, step=3)

    def latticed(frames: Iterable[tuple[int, Frame]]) -> Iterator[tuple[int, Frame, Frame]]:
        for index, frame in frames:
            painted = frame.copy()
            painted[1::2, 1::2] = np.clip(painted[1::2, 1::2].astype(int) + 40, 0, 255)
            yield index, frame, painted

    def sharpness(frame: Frame) -> float:
        return float(cv2.Laplacian(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), cv2.CV_32F).var())

    by_itself = [sharpness(painted) for _, _, painted in latticed(enumerate(source))]
    steady = [sharpness(painted) for _, _, painted in steadied(enumerate(source), latticed, Steady(16, 1.0, alone), 2)]
    assert np.mean(steady) == pytest.approx(np.mean(by_itself), rel=0.1)


@pytest.mark.parametrize("alone", [False, True])
def test_no_paint_is_carried_over_a_scene_cut(alone: bool) -> None:
    source = moving(scene(1), 5) + moving(255 - scene(2), 8)
    painted, _ = steadily(source, 1.0, 32, alone)
    for frame, one in zip(source, painted, strict=True):
        assert np.abs(one.astype(int) - frame).mean() < 45  # strokes of 60 levels at most over the frame's own scene


@pytest.mark.parametrize("alone", [False, True])
def test_no_paint_is_carried_over_a_cut_between_scenes_that_are_alike(alone: bool) -> None:
    """So that many pixels find one like themselves on the other side."""
    frames = moving(scene(3), 5) + moving(scene(4), 12)

    def red_then_blue(frames: Iterable[tuple[int, Frame]]) -> Iterator[tuple[int, Frame, Frame]]:
        for index, frame in frames:
            yield index, frame, np.full_like(frame, (200, 0, 0) if index < 5 else (0, 0, 200))

    done = [paint for _, _, paint in steadied(enumerate(frames), red_then_blue, Steady(16, 0.5, alone), 2)]
    assert all(paint[..., 2].max() < 20 for paint in done[:5])
    assert all(paint[..., 0].max() < 20 for paint in done[5:])


def test_what_comes_into_the_frame_is_painted() -> None:
    source = moving(scene(1), 17, step=24)
    painted, by_itself = steadily(source, 0.0, 16, alone=True)
    assert len(by_itself) > 2
    for frame, one in zip(source, painted, strict=True):
        assert np.abs(one[:, -24:].astype(int) - frame[:, -24:]).mean() < 60  # the strokes, and not a smeared border


def test_what_no_key_frame_shows_keeps_the_paint_that_it_got_first() -> None:
    shown = [moving(scene(1), 1)[0].copy() for _ in range(9)]
    patch = slice(60, 110), slice(100, 150)
    for covered in (shown[0], shown[8]):
        covered[patch] = 255 - covered[patch]
    painted, by_itself = steadily(shown, 1.0)

    def changes(frames: Frames) -> float:
        inner = [frame[70:100, 110:140].astype(int) for frame in frames]
        return float(np.mean([np.abs(one - other).mean() for one, other in itertools.pairwise(inner)]))

    assert changes([by_itself[index] for index in range(1, 8)]) > 15
    assert changes(painted[1:8]) < 4
    assert np.abs(painted[4][70:100, 110:140].astype(int) - shown[4][70:100, 110:140]).mean() < 45


@pytest.mark.parametrize(("seen", "keys"), [(range(17), [0, 8, 16]), (range(2, 5), [0, 4, 16])])
def test_a_thing_that_flow_cannot_follow_is_painted_once_more_half_way(seen: range, keys: list[int]) -> None:
    def with_a_thing(shown: list[Frame]) -> list[Frame]:
        shown = [frame.copy() for frame in shown]
        for index in seen:
            shown[index][60:110, 100:150] = scene(index + 2)[:50, :50]
        return shown

    for shown in ([moving(scene(1), 1)[0]] * 17, moving(scene(1), 17)):
        assert sorted(steadily(with_a_thing(shown), 0.0, 16, alone=True)[1]) == keys


def test_what_rests_is_carried_as_it_is() -> None:
    planes = Planes.of(moving(scene(1), 1)[0])
    still = np.zeros((SIZE[1] // 2, SIZE[0] // 2, 2), np.float32)
    np.testing.assert_array_equal(planes.along(still).light, planes.light)
    there = np.full_like(still, (1.0, 0.5))  # two pixels to the right, one down
    np.testing.assert_array_equal(planes.along(there).light[:-1, :-2], planes.light[1:, 2:])


def test_what_moves_is_carried_alike_whatever_rests() -> None:
    planes = Planes.of(moving(scene(1), 1)[0])
    flow = np.zeros((48, 80, 2), np.float32)
    flow[10:20, 30:50] = 2.5, -1.25
    corners = flow.copy()
    corners[0, 0] = corners[-1, -1] = 1
    inner = slice(16, -16), slice(16, -16)
    here, there = planes.along(flow), planes.along(corners)
    assert np.array_equal(here.light[inner], there.light[inner])
    assert np.array_equal(here.colours[inner], there.colours[inner])
    assert not np.array_equal(here.light[40:80, 120:200], planes.light[40:80, 120:200])


@pytest.mark.parametrize("step", [4, 8])
def test_what_comes_in_for_a_moment_has_its_own_paint(step: int) -> None:
    """A camera that looks to the right and back again between two key frames, and a painter that changes nothing."""
    there = moving(scene(1), 5, step)
    shown = [*there, *there[-2::-1]]

    def unchanged(frames: Iterable[tuple[int, Frame]]) -> Iterator[tuple[int, Frame, Frame]]:
        yield from ((index, frame, frame) for index, frame in frames)

    painted = [one for _, _, one in steadied(enumerate(shown), unchanged, Steady(8, 1.0, alone=False), 2)]
    for frame, one in zip(shown, painted, strict=True):
        assert np.abs(one[:, -step:].astype(int) - frame[:, -step:]).mean() < 12


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (2, 2), (3, 5), (2, 2**14)])
@pytest.mark.parametrize("alone", [False, True])
def test_frames_of_any_size(size: tuple[int, int], alone: bool) -> None:
    source = [np.full((*size, 3), light, np.uint8) for light in range(60, 69)]
    assert [one.shape for one in steadily(source, 1.0, alone=alone)[0]] == [(*size, 3)] * 9


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("frames", [1, 2, 8, 9, 10])
def test_any_number_of_frames_of_any_depth(frames: int, kind: type) -> None:
    source = [frame.astype(kind) * (257 if kind == np.uint16 else 1) for frame in moving(scene(1), frames)]
    painted, _ = steadily(source, 0.0, alone=True)
    assert all(one.dtype == kind and one.shape == source[0].shape for one in painted)


def test_frames_depend_on_the_key_frames_around_them() -> None:
    steady = Steady(8, 0.0, alone=True)
    assert steady.around(range(0, 1), 40) == range(0, 1)
    assert steady.around(range(3, 12), 40) == range(0, 17)
    assert steady.around(range(8, 17), 40) == range(8, 17)
    assert steady.around(range(38, 40), 40) == range(32, 40)


@pytest.mark.parametrize(
    ("length", "fields"),
    [
        pytest.param(5, {"key_frames": True}, marks=pytest.mark.slow),
        (11, {"key_frames": True, "steady": 0.5}),
        pytest.param(20, {"key_frames": True}, marks=pytest.mark.slow),
        (20, {"steady": 0.8}),
    ],
)
def test_steady_frames_do_not_depend_on_chunks(
    clip: Path, tmp_path: Path, store: FolderStore, length: int, fields: dict[str, object]
) -> None:
    whole = tmp_path / "whole.mp4"
    reference.paint(request_for(clip, **fields), whole, 2, lambda done, total: None)
    result, records = paint_all(store, request_for(clip, chunk_frames=length, **fields))
    assert sum(record["frames"] for record in records) == 48
    assert frame_hashes(result) == frame_hashes(whole)


def test_chunks_of_a_steady_request_end_at_key_frames(clip: Path, store: FolderStore) -> None:
    key, plan = split(request_for(clip, key_frames=True, fps=12), store, RUN, 2, 1)
    assert all(chunk.taken[0] == chunk.start for chunk in plan.chunks)
    for chunk in plan.chunks:
        paint_chunk(store, key, chunk.index, RUN, 1)


@pytest.mark.parametrize("fields", [{"steady": 0.5}, {"key_frames": True}])
def test_frames_that_are_painted_elsewhere_are_not_kept_steady(fields: dict[str, object]) -> None:
    with pytest.raises(Refused, match="leave out steady and key_frames"):
        Request.parse({"source": "a.mp4", "filter": "deepfilter", "model": "space_pizza", **fields})
