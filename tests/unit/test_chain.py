"""Filters laid one over the other."""

import numpy as np
import pytest

from rotoscope import engines
from rotoscope.errors import Refused
from rotoscope.filters import catalogue
from rotoscope.media.source import open_source
from rotoscope.painting import Workshop
from rotoscope.plan import painting
from rotoscope.request import Request
from tests.media import make_video

FRAME = np.random.default_rng(2).integers(0, 256, (64, 96, 3), np.uint8)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("chain")
    return open_source(make_video(folder / "clip.mp4", 4, size="96x64"), folder)[0].video


def request(**fields: object) -> Request:
    return Request.parse({"source": "film.mov", **fields})


def painted(video, **fields: object) -> np.ndarray:
    ((_, _, result),) = Workshop.open(request(**fields), video, 2).painted([(0, FRAME)])
    return result


def by(name: str, frame: np.ndarray) -> np.ndarray:
    return engines.load(catalogue.get(name), 2)(frame)


def test_one_after_the_other_in_order(video) -> None:
    assert np.array_equal(painted(video, filter="oil", then=["sea-mist"]), by("sea-mist", by("oil", FRAME)))
    other = painted(video, filter="sea-mist", then=["oil"])
    assert not np.array_equal(other, painted(video, filter="oil", then=["sea-mist"]))


def test_each_has_its_strength(video) -> None:
    first = painted(video, filter="oil", strength=0.5)
    half = painted(video, filter="oil", strength=0.5, then=["halftone:0.25"])
    wanted = first + 0.25 * (by("halftone", first).astype(float) - first)
    assert np.abs(half - wanted).max() <= 1


@pytest.mark.parametrize(
    "fields", [{"filter": "identity", "then": ["oil"]}, {"filter": "oil", "then": ["sea-mist:0", "identity"]}]
)
def test_what_changes_nothing_costs_nothing(video, fields: dict) -> None:
    assert np.array_equal(painted(video, **fields), by("oil", FRAME))
    assert [one.name for one, _ in request(**fields).layers] == ["oil"]


def test_colours_are_those_of_the_source_after_all_layers(video) -> None:
    kept = painted(video, filter="oil", then=["halftone"], keep_colours=True).astype(float)
    change = kept - FRAME
    inside = ((kept > 2) & (kept < 253)).all(axis=2)
    assert np.ptp(change[inside], axis=1).max() <= 2, "light only"


def test_another_chain_is_another_painting(video) -> None:
    chains = [{}, {"then": ["oil"]}, {"then": ["oil:0.5"]}, {"then": ["oil", "pencil"]}, {"then": ["pencil", "oil"]}]
    chains += [{"filter": "identity", "then": [name]} for name in ("oil", "pencil")]
    paintings = [str(painting(request(**fields), video)) for fields in chains]
    assert len(set(paintings)) == len(chains)
    assert paintings[0] == str(painting(request(then=["identity"]), video))


@pytest.mark.parametrize(
    ("then", "says"),
    [
        (["nope"], "no filter 'nope'"),
        (["oil:2"], "is no layer"),
        (["oil:"], "is no layer"),
        (["oil:nan"], "is no layer"),
        (["deepfilter"], "paints elsewhere|needs a model"),
        (["oil"] * 9, "at most 8"),
        ("oil", "valid list"),
    ],
)
def test_bad_layers_are_refused(then: object, says: str) -> None:
    with pytest.raises(Refused, match=says):
        request(then=then)


def test_nothing_is_laid_over_what_is_painted_elsewhere() -> None:
    with pytest.raises(Refused, match="paints elsewhere"):
        request(filter="deepfilter", model="space_pizza", then=["oil"])


def test_a_chain_can_be_steady(video) -> None:
    workshop = Workshop.open(request(filter="oil", then=["sea-mist"], key_frames=True), video, 2)
    still = list(workshop.painted((index, FRAME) for index in range(20)))
    assert len(still) == 20
    assert all(np.abs(one.astype(int) - still[0][2]).mean() < 2 for _, _, one in still)


def faded(video, frames: int = 4, **fields: object) -> list[np.ndarray]:
    asked = request(filter="oil", **fields)
    return [result for _, _, result in Workshop.open(asked, video, 2).painted((i, FRAME) for i in range(frames))]


def test_a_video_fades_from_one_chain_to_another(video) -> None:
    """Four frames, from 0 s to 3 frames later: the first is all of one, the last all of the other."""
    first, second = by("oil", FRAME).astype(float), by("halftone", by("pencil", FRAME)).astype(float)
    seen = faded(video, fade_to=["pencil", "halftone"])
    for number, picture in enumerate(seen):
        assert np.abs(picture - ((3 - number) * first + number * second) / 3).max() <= 1


def test_a_fade_has_its_times(video) -> None:
    seen = faded(video, fade_to=["identity"], fade_start="0.04", fade_end="0.08")
    assert np.array_equal(seen[0], by("oil", FRAME))
    assert np.array_equal(seen[1], seen[0])
    assert np.array_equal(seen[2], FRAME)
    assert np.array_equal(seen[3], FRAME)


def test_styles_of_one_network_fade_in_one_pass(video) -> None:
    asked = request(filter="sea-mist", fade_to=["lava-glow"])
    seen = [result for _, _, result in Workshop.open(asked, video, 2).painted((i, FRAME) for i in range(4))]
    blended = catalogue.get("sea-mist").blended(catalogue.get("lava-glow"), 1 / 3)
    assert np.array_equal(seen[1], engines.load(blended, 2)(FRAME))
    assert np.array_equal(seen[3], by("lava-glow", FRAME))


def test_what_only_fades_in_is_painted(video) -> None:
    asked = request(filter="identity", fade_to=["oil"])
    assert asked.paints
    last = [result for _, _, result in Workshop.open(asked, video, 2).painted((i, FRAME) for i in range(4))][-1]
    assert np.array_equal(last, by("oil", FRAME))


def test_a_scale_may_not_make_too_much_of_a_frame(video) -> None:
    asked = request(scale=0.25, size="2160p")
    with pytest.raises(Refused, match=r"too many at a scale of 0\.25"):
        asked.painted_size((3840, 2160))


def test_a_larger_scale_is_a_coarser_texture(video) -> None:
    """Dots of a halftone, twice as large: half as many changes along a line."""
    plain, large = (painted(video, filter="halftone", scale=scale).astype(float).mean(axis=2) for scale in (1, 2))
    rough = [np.abs(np.diff(picture, axis=1)).mean() for picture in (plain, large)]
    assert rough[1] < 0.75 * rough[0]
    assert large.shape == plain.shape


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"fade_to": ["nope"]}, "There is no filter 'nope'"),
        ({"fade_to": ["oil:3"]}, "'oil:3' is no layer"),
        ({"fade_to": ["oil"], "fade_start": "3", "fade_end": "1"}, "The fade from 3 to 1 is empty"),
        ({"filter": "deepfilter", "model": "aqua", "fade_to": ["oil"]}, "cannot be one of several"),
        ({"filter": "deepfilter", "model": "aqua", "scale": 2}, "leave out scale"),
        ({"filter": "deepfilter", "model": "aqua", "half": True}, "leave out scale and half"),
        ({"filter": "deepfilter", "model": "aqua", "strength": 0, "fade_to": ["oil"]}, "cannot be one of several"),
        ({"filter": "oil", "then": ["deepfilter:0"]}, "cannot be one of several"),
        ({"scale": 9}, "scale is 9"),
    ],
)
def test_what_cannot_be_faded_or_scaled_is_refused(fields: dict, says: str) -> None:
    with pytest.raises(Refused, match=says):
        request(**fields)
