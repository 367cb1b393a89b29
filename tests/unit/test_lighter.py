"""Networks made lighter: what they give stays as it is, and what only looks alike is left alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rotoscope import engines
from rotoscope.engines import onnx
from rotoscope.engines.lighter import lighten
from rotoscope.filters import catalogue

import openvino  # isort: skip
from openvino import opset13 as ops  # isort: skip

SIZE, PLANE = (10, 14), np.array([2, 3])
Layers = Callable[[openvino.Node], openvino.Node]


def _kernels(planes: int, features: int, side: int) -> np.ndarray:
    return np.random.default_rng(planes).normal(0, 1, (planes, features, side, side)).astype(np.float32)


def _convolved(features: openvino.Node, planes: int, side: int, stride: int = 1) -> openvino.Node:
    kernels = _kernels(planes, features.get_output_shape(0)[1], side)
    return ops.convolution(features, kernels, [stride] * 2, [0, 0], [0, 0], [1, 1])


def _padded(features: openvino.Node, around: int = 1, mode: str = "reflect") -> openvino.Node:
    edges = [0, 0, around, around]
    return ops.pad(features, edges, edges, mode)


def _doubled(
    features: openvino.Node, placed: str = "asymmetric", rounded: str = "floor", factor: float = 2.0
) -> openvino.Node:
    factors, axes = np.array([factor, factor], np.float32), np.array([2, 3])
    how = {"coordinate_transformation_mode": placed, "nearest_mode": rounded, "axes": axes}
    return ops.interpolate(features, factors, "nearest", "scales", **how)


def _normed(
    features: openvino.Node, power: float = 2.0, axes: tuple[int, ...] = (2, 3), spread: float = 1.0
) -> openvino.Node:
    over = np.array(axes)
    difference = ops.subtract(features, ops.reduce_mean(features, over, True))
    variance = ops.reduce_mean(ops.power(difference, np.float32(power)), over, True)
    inverse = ops.divide(np.float32(spread), ops.sqrt(ops.add(variance, np.float32(1e-5))))
    return ops.multiply(difference, inverse)


def _both(layers: Layers, planes: int = 5) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """What the layers give, and what they give once made lighter, and the kinds of operations that this takes."""
    image = ops.parameter([1, planes, *SIZE], np.float32)
    model = openvino.Model([layers(image)], [image], "layers")
    light = _lightened(model)
    given = np.random.default_rng(0).normal(1, 2, (1, planes, *SIZE)).astype(np.float32)
    return _run(model, given), _run(light, given), [node.get_type_name() for node in light.get_ordered_ops()]


def _lightened(model: openvino.Model) -> openvino.Model:
    light = model.clone()
    lighten(light)
    return light


def _run(model: openvino.Model, given: Any) -> np.ndarray:
    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return np.array(compiled(given)[0])


@pytest.mark.parametrize(
    ("layers", "now", "no_longer"),
    [
        (lambda image: _convolved(_padded(_doubled(image)), 6, 3), "DepthToSpace", "Interpolate"),
        (
            lambda image: _convolved(_padded(_doubled(image, "half_pixel", "round_prefer_floor")), 3, 3),
            "Slice",
            "Interpolate",
        ),
        (lambda image: _convolved(_padded(image, 4), 3, 9), "DepthToSpace", "Slice"),
        (lambda image: _convolved(image, 1, 3), "DepthToSpace", "Slice"),
        (_normed, "ReduceL2", "Power"),
        (lambda image: ops.mvn(image, PLANE, True, 1e-3, "inside_sqrt"), "ReduceL2", "MVN"),
        (lambda image: ops.mvn(ops.add(image, _kernels(1, 5, 1)), PLANE, True, 1e-3, "inside_sqrt"), "ReduceL2", "MVN"),
    ],
)
def test_gives_the_same_with_less_work(layers: Layers, now: str, no_longer: str) -> None:
    before, after, kinds = _both(layers)
    assert now in kinds
    assert no_longer not in kinds
    assert after.shape == before.shape
    np.testing.assert_allclose(after, before, atol=2e-5 * np.abs(before).max())


@pytest.mark.parametrize("of_planes", [_normed, lambda planes: ops.reduce_mean(planes, PLANE, True)])
def test_blocks_are_laid_out_after_what_is_done_to_each_value(of_planes: Layers) -> None:
    def layers(image: openvino.Node) -> openvino.Node:
        planes = _convolved(_padded(image), 3, 3)
        both = ops.subtract(of_planes(planes), ops.multiply(planes, _kernels(1, 3, 1)))
        return ops.convert(ops.multiply(ops.sigmoid(both), np.float32(255)), "u8")

    before, after, kinds = _both(layers)
    assert kinds.index("DepthToSpace") > kinds.index("Sigmoid")
    assert kinds.count("DepthToSpace") == 1
    assert np.abs(after.astype(int) - before).max() <= 1


@pytest.mark.parametrize(
    "done",
    [
        lambda planes: ops.add(planes, _kernels(1, 1, SIZE[1])[:, :, :1]),
        lambda planes: ops.reduce_mean(planes, np.array([1, 2, 3]), True),
        lambda planes: ops.reduce_mean(planes, PLANE, False),
        lambda planes: ops.softmax(planes, 1),
        lambda planes: ops.multiply(planes, ops.sigmoid(planes)),
    ],
)
def test_what_is_not_done_to_each_value_alike_is_done_to_pixels(done: Layers) -> None:
    before, after, _ = _both(lambda image: done(_convolved(_padded(image), 3, 3)))
    assert after.shape == before.shape
    np.testing.assert_allclose(after, before, atol=2e-5 * np.abs(before).max())


@pytest.mark.parametrize(
    "layers",
    [
        lambda image: _convolved(_padded(_doubled(image), mode="edge"), 6, 3),
        lambda image: _convolved(_padded(_doubled(image), 2), 6, 3),
        lambda image: _convolved(_padded(_doubled(image), 2), 6, 5),
        lambda image: _convolved(_padded(_doubled(image)), 6, 3, stride=2),
        lambda image: _convolved(_padded(_doubled(image, "asymmetric", "ceil")), 6, 3),
        lambda image: _convolved(_padded(_doubled(image, "half_pixel", "floor")), 6, 3),
        lambda image: _convolved(_padded(_doubled(image, factor=2.05)), 6, 3),
        lambda image: _convolved(image, 3, 4),
        lambda image: _convolved(image, 3, 3, stride=2),
        lambda image: _normed(image, power=4.0),
        lambda image: _normed(image, spread=2.0),
        lambda image: _normed(image, axes=(1, 2, 3)),
        lambda image: ops.mvn(image, np.array([1, 2, 3]), True, 1e-3, "inside_sqrt"),
        lambda image: ops.mvn(image, PLANE, False, 1e-3, "inside_sqrt"),
        lambda image: ops.mvn(image, PLANE, True, 1e-3, "outside_sqrt"),
    ],
)
def test_leaves_alone_what_only_looks_alike(layers: Layers) -> None:
    before, after, kinds = _both(layers)
    assert not {"DepthToSpace", "ReduceL2"} & set(kinds)
    np.testing.assert_array_equal(after, before)


def test_the_norm_of_an_all_but_flat_picture_is_exact() -> None:
    """Here the mean of x^2 less mean^2 would be rounding, and little else."""
    image = ops.parameter([1, 3, 64, 64], np.float32)
    model = openvino.Model([_normed(_convolved(_padded(image, 4), 8, 9))], [image], "first layer")
    light = _lightened(model)
    slope = 0.5 + np.mgrid[0:64, 0:64][1].astype(np.float32) / 255 / 64
    given = np.broadcast_to(slope, (1, 3, 64, 64)).copy()
    before, after = _run(model, given), _run(light, given)
    assert before.std() > 0.5
    np.testing.assert_allclose(after, before, atol=0.01)


@pytest.mark.parametrize("name", ["starlit-swirl", "confetti-shards", "starry-night"])
@pytest.mark.parametrize("light", [0, 16, 128])
@pytest.mark.parametrize("half", [False, True])
def test_a_flat_frame_is_painted_flat(name: str, light: int, half: bool) -> None:
    """What differs in rounding alone must not grow from norm to norm."""
    painted = engines.load(catalogue.get(name), 2, half=half)(np.full((72, 100, 3), light, np.uint8))
    assert (painted == painted[0, 0]).all()


@pytest.mark.parametrize("place", [(0, 0), (30, 40)])
def test_a_pixel_that_stands_out_spoils_no_norm(place: tuple[int, int]) -> None:
    image = ops.parameter([1, 8, 360, 640], np.float32)
    model = openvino.Model([_normed(image)], [image], "norm")
    light = _lightened(model)
    given = np.zeros((1, 8, 360, 640), np.float32)
    given[:, :, *place] = 100
    mean, spread = (of(given, (2, 3), keepdims=True, dtype=np.float64) for of in (np.mean, np.std))
    expected = (given - mean) / spread
    np.testing.assert_allclose(_run(light, given), expected, rtol=0.01, atol=0.01)


def test_one_pixel_is_not_lost() -> None:
    frame = np.full((72, 100, 3), 128, np.uint8)
    frame[30, 40] += 1
    painted = engines.load(catalogue.get("starry-night"), 2)(frame)
    assert np.ptp(painted[20:40, 30:50].astype(int)) > 50
    assert (painted[60:, 80:] == painted[-1, -1]).all()


@pytest.mark.parametrize("name", ["starlit-swirl", "starry-night"])
def test_networks_of_the_catalogue_paint_the_same(name: str) -> None:
    weights = catalogue.get(name).weights
    assert weights is not None
    model = onnx.read(weights).clone()
    model.reshape({"image": [1, 3, 68, 92]})
    light = _lightened(model)
    kinds = [node.get_type_name() for node in light.get_ops()]
    assert "Interpolate" not in kinds
    assert kinds.count("DepthToSpace") == 3
    rows, columns = np.mgrid[0:68, 0:92] / np.float32(92)
    given = {"image": np.stack([rows, columns, 1 - rows])[None].astype(np.float32)}
    if len(model.inputs) > 1:
        given["style_weights"] = np.eye(26, dtype=np.float32)[19]
    before, after = (_run(one, given) for one in (model, light))
    assert np.abs(after - before).max() < 1 / 255
