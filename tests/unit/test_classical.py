"""Textures without a network."""

import numpy as np
import pytest

from rotoscope.engines import load
from rotoscope.errors import RotoscopeError
from rotoscope.filters.catalogue import catalogue, get

CLASSICAL = [one.name for one in catalogue().values() if one.engine == "classical"]


def frame(height: int, width: int) -> np.ndarray:
    """A light disc on a gradient with some noise."""
    y, x = np.mgrid[:height, :width]
    picture = np.stack([255 * x / width, 255 * y / height, np.full_like(x, 90.0, float)], axis=-1)
    picture[np.hypot(x - width / 2, y - height / 2) < height / 5] = (250, 240, 200)
    return np.clip(picture + np.random.default_rng(0).normal(0, 4, picture.shape), 0, 255).astype(np.uint8)


def test_there_are_three() -> None:
    assert CLASSICAL == ["halftone", "pencil", "oil"]


@pytest.mark.parametrize("name", CLASSICAL)
@pytest.mark.parametrize("size", [(360, 640), (33, 97), (32, 32)])
def test_paints_any_size_and_depth_alike(name: str, size: tuple[int, int]) -> None:
    paint, picture = load(get(name), 2), frame(*size)
    before = picture.copy()
    painted = paint(picture)
    assert painted.shape == picture.shape
    assert painted.dtype == np.uint8
    assert np.array_equal(picture, before)
    assert np.array_equal(painted, paint(picture))
    assert np.abs(painted.astype(int) - picture).mean() > 2
    deep = paint(picture.astype(np.uint16) * 257)
    assert deep.dtype == np.uint16
    assert np.abs(deep / 257 - painted).max() <= 1


@pytest.mark.parametrize("level", [40, 128, 220])
def test_halftone_dots_are_together_as_dark_as_the_picture(level: int) -> None:
    painted = load(get("halftone"), 1)(np.full((360, 640, 3), level, np.uint8))
    assert abs(painted.mean() - level) < 20
    assert painted.std() > 20, "in dots"


def test_pencil_draws_a_line_where_there_is_an_edge() -> None:
    picture = np.full((120, 160, 3), 220, np.uint8)
    picture[:, 80:] = 90
    painted = load(get("pencil"), 1)(picture).astype(float)
    line, plain = painted[:, 80:83].mean(), painted[:, 120:150].mean()
    assert line < plain - 20
    assert np.ptp(painted, axis=2).max() < 30, "no colours but the paper's"


def test_oil_makes_plains_of_noise_and_keeps_edges() -> None:
    picture = frame(180, 320)
    painted = load(get("oil"), 1)(picture)
    assert painted[80:100, 150:170].std(axis=(0, 1)).mean() < picture[80:100, 150:170].std(axis=(0, 1)).mean()
    jumps = [np.abs(np.diff(one[90].astype(int), axis=0)).max() for one in (picture, painted)]
    assert jumps[1] > 0.7 * jumps[0]


def test_unknown_texture_is_refused() -> None:
    with pytest.raises(RotoscopeError, match="no texture"):
        load(get("oil").model_copy(update={"parameters": {"texture": "fresco"}}), 1)
