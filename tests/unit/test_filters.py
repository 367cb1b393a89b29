import numpy as np
import pytest
from PIL import Image
from tools import previews

from rotoscope import engines
from rotoscope.errors import Refused, RotoscopeError
from rotoscope.filters import catalogue, chain
from rotoscope.request import Request


@pytest.fixture(scope="module")
def frame() -> np.ndarray:
    """A gradient with an edge: 70 rows, which the network cannot halve twice, and 94 columns."""
    rows, columns = np.mgrid[0:70, 0:94]
    picture = np.stack([rows * 3, columns * 2, 255 - rows * 2], axis=2)
    picture[20:40, 30:60] = 240
    return picture.astype(np.uint8)


def test_every_filter_has_its_own_name_title_and_sentence() -> None:
    filters = list(catalogue.catalogue().values())
    assert len(filters) == 37
    for field in ("name", "title", "sentence"):
        assert len({getattr(one, field) for one in filters}) == len(filters)
    assert all(one.sentence.endswith(".") for one in filters)


def test_each_network_and_each_of_its_styles_paints_its_own_picture(frame: np.ndarray) -> None:
    painted = {}
    for one in catalogue.catalogue().values():
        if one.engine == "onnx":
            picture = engines.load(one, 1)(frame)
            assert picture.shape == frame.shape
            assert picture.dtype == np.uint8
            painted[one.name] = picture.tobytes()
    assert len(set(painted.values())) == 26 + 6


def test_the_number_of_threads_changes_no_bit(frame: np.ndarray) -> None:
    one = catalogue.get("sea-mist")
    assert {engines.load(one, threads)(frame).tobytes() for threads in (1, 2, 3)} == {
        engines.load(one, 1)(frame).tobytes()
    }


def test_a_blend_goes_from_one_texture_to_the_other(frame: np.ndarray) -> None:
    one, other = catalogue.get("sea-mist"), catalogue.get("lava-glow")
    shares = (0.0, 0.3, 0.7, 1.0)
    painted = [engines.load(one.blended(other, share), 1)(frame) for share in shares]
    assert np.array_equal(painted[0], engines.load(one, 1)(frame))
    assert np.array_equal(painted[-1], engines.load(other, 1)(frame))
    distances = [np.abs(picture.astype(int) - painted[-1]).mean() for picture in painted]
    assert distances == sorted(distances, reverse=True)
    assert len(set(distances)) == len(shares)


def test_a_blend_is_a_texture_of_its_own() -> None:
    blends = [{"blend": [one]} for one in ("lava-glow", "lava-glow:0.3", "terracotta")] + [{}]
    asked = [Request.parse({"source": "a.mp4", "filter": "sea-mist", **fields}) for fields in blends]
    assert len({repr(request.texture.fingerprint()) for request in asked}) == len(blends)
    assert asked[0].texture.name == "sea-mist + lava-glow"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        (
            {"filter": "sea-mist", "blend": ["identity"]},
            "no network holds both; sea-mist blends with straw-field, lemon-linocut",
        ),
        ({"filter": "deepfilter", "model": "space_pizza", "blend": ["sea-mist"]}, "cannot be blended"),
        ({"filter": "sea-mist", "blend": ["nope"]}, "There is no filter 'nope'"),
        ({"filter": "sea-mist", "blend": ["lava-glow:-1"]}, "'lava-glow:-1' is no layer"),
    ],
)
def test_what_cannot_be_blended_is_refused(fields: dict, says: str) -> None:
    with pytest.raises(Refused, match=says):
        Request.parse({"source": "a.mp4", **fields})


def test_half_precision_paints_nearly_the_same(frame: np.ndarray) -> None:
    one = catalogue.get("starlit-swirl")
    whole, half = (engines.load(one, 1, half=half)(frame).astype(int) for half in (False, True))
    assert np.abs(whole - half).mean() < 4


def test_half_precision_sees_the_grain_of_a_plain_sky() -> None:
    """Levels are held exactly; as fractions, they would differ by over 8."""
    rows = np.mgrid[0:180, 0:320][0][..., None] / 180
    grain = np.random.default_rng(0).normal(0, 1, (180, 320, 3))
    sky = (np.array([90, 140, 220]) * (1 - rows) + np.array([170, 200, 235]) * rows + grain).round().astype(np.uint8)
    one = catalogue.get("confetti-shards")
    whole, half = (engines.load(one, 1, half=half)(sky).astype(int) for half in (False, True))
    assert np.abs(whole - half).mean() < 8


def laid_over(one: catalogue.Filter, frame: np.ndarray, strength: float = 1, keep_colours: bool = False) -> np.ndarray:
    return chain.over(chain.always(engines.load(one, 1)), strength, keep_colours)(0, frame)


def test_strength_mixes_between_source_and_paint(frame: np.ndarray) -> None:
    one = catalogue.get("lava-glow")
    full = laid_over(one, frame).astype(int)
    half = laid_over(one, frame, strength=0.5).astype(int)
    assert np.abs(half - (full + frame) / 2).max() <= 0.5


def test_keeping_colours_takes_light_from_the_paint_and_hue_from_the_source(frame: np.ndarray) -> None:
    one = catalogue.get("lava-glow")
    painted, kept = (laid_over(one, frame, keep_colours=keep).astype(float) for keep in (False, True))
    inside = ((kept > 0) & (kept < 255)).all(axis=2)  # where nothing was clipped
    assert inside.mean() > 0.2
    assert np.abs((kept - painted) @ chain.LUMA)[inside].max() <= 1
    difference = kept - frame
    assert np.ptp(difference[inside], axis=1).max() <= 1, "all three channels move by the same amount"


def test_other_weights_than_the_catalogues_are_not_used() -> None:
    weights = catalogue.get("sea-mist").weights
    assert weights is not None
    with pytest.raises(RotoscopeError, match="are not those of the catalogue"):
        weights.model_copy(update={"file": "models/arbitrary_predict.onnx"}).read()


def test_an_unknown_name_is_refused_with_those_that_exist() -> None:
    with pytest.raises(Refused, match=r"no filter 'van-gogh'; choose one of identity, straw-field"):
        catalogue.get("van-gogh")


def test_several_are_blended_by_their_weights_in_one_pass(frame: np.ndarray) -> None:
    request = Request.parse({"source": "a.mp4", "filter": "sea-mist", "blend": ["lava-glow:2", "terracotta"]})
    assert request.texture.parameters["styles"] == [
        (14, pytest.approx(0.25)),
        (20, pytest.approx(0.5)),
        (10, pytest.approx(0.25)),
    ]
    assert engines.load(request.texture, 1)(frame).shape == frame.shape


def test_every_filter_has_tags_and_a_preview_and_stands_on_the_page() -> None:
    """After a change: `make previews`."""
    shown = [catalogue.get(name) for name in catalogue.here()]
    for one in shown:
        assert set(one.tags) & {"subtle", "bold"}
        assert set(one.tags) <= set(catalogue.TAGS)
        with Image.open(previews.PREVIEWS / f"{one.name}.jpg") as picture:
            assert picture.size == previews.SIZE
    assert previews.PAGE.read_text() == previews.page(shown)
