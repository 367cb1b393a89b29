"""Networks by PyTorch: on the processor, and on a GPU where there is one, it paints what OpenVINO paints."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rotoscope import engines
from rotoscope.engines import Frame, onnx
from rotoscope.errors import RotoscopeError
from rotoscope.filters import catalogue
from rotoscope.filters.catalogue import Filter
from tests.unit.test_style import drawn, made

pytestmark = pytest.mark.train


@pytest.fixture(params=["cpu", "cuda"])
def cuda(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module, computing on a device of PyTorch's as if it were a GPU."""
    import torch

    from rotoscope.engines import cuda

    if request.param == "cuda" and not cuda.available():
        pytest.skip("There is no GPU here.")
    monkeypatch.setattr(cuda, "DEVICE", torch.device(request.param))
    onnx._on_gpu.cache_clear()
    yield cuda
    onnx._on_gpu.cache_clear()


def frame_of(size: tuple[int, int], dtype: type = np.uint8) -> Frame:
    """Clouds of all colours, with a grain, and a flat corner."""
    random = np.random.default_rng(3)
    rows, columns = np.mgrid[: size[0], : size[1]]
    clouds = np.stack([np.sin(rows / (9 + one)) + np.cos(columns / (14 - one)) for one in range(3)], 2)
    frame = np.clip(clouds * 60 + 128 + random.normal(0, 6, clouds.shape), 0, 255)
    frame[: size[0] // 3, : size[1] // 3] = 12
    return (frame * (np.iinfo(dtype).max / 255)).astype(dtype)


def both(one: Filter, frame: Frame, patch: pytest.MonkeyPatch, half: bool = False) -> list[Frame]:
    """The frame as OpenVINO paints it, and as PyTorch does."""
    painted = []
    for gpu in (False, True):
        patch.setattr(onnx, "has_gpu", lambda gpu=gpu: gpu)
        painted.append(engines.load(one, 2, half=half)(frame))
        assert painted[-1].dtype == frame.dtype
    return [one.astype(int) for one in painted]


@pytest.mark.parametrize("size", [(120, 160), (67, 101)])
@pytest.mark.parametrize("name", ["starlit-swirl", "starry-night", "a picture"])
def test_it_paints_the_same(
    cuda: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, size: tuple[int, int]
) -> None:
    one = made(drawn(tmp_path / "picture.png", 1)) if name == "a picture" else catalogue.get(name)
    there, here = both(one, frame_of(size), monkeypatch)
    assert here.shape == (*size, 3)
    assert np.abs(here - there).max() <= 1
    assert np.abs(here - there).mean() < 0.02


def test_levels_of_sixteen_bits_are_as_fine(cuda: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    there, here = both(catalogue.get("starlit-swirl"), frame_of((80, 120), np.uint16), monkeypatch)
    assert there.max() > 255
    assert np.abs(here - there).mean() < 5


def test_a_black_frame_stays_without_noise(cuda: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    there, here = both(catalogue.get("starry-night"), np.zeros((80, 120, 3), np.uint8), monkeypatch)
    assert np.abs(here - there).max() <= 1


@pytest.mark.parametrize(("dtype", "level"), [(np.uint8, 1), (np.uint16, 257)])
def test_half_precision_is_nearly_the_same(cuda: Any, monkeypatch: pytest.MonkeyPatch, dtype: type, level: int) -> None:
    frame = frame_of((120, 160), dtype)
    whole, _ = both(catalogue.get("starlit-swirl"), frame, monkeypatch)
    _, half = both(catalogue.get("starlit-swirl"), frame, monkeypatch, half=True)
    assert 0 < np.abs(half - whole).mean() < level


def test_half_precision_holds_a_white_pixel_in_black_of_sixteen_bits(
    cuda: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = np.zeros((80, 120, 3), np.uint16)
    frame[30, 40] = 65535
    whole, _ = both(catalogue.get("starlit-swirl"), frame, monkeypatch)
    _, half = both(catalogue.get("starlit-swirl"), frame, monkeypatch, half=True)
    assert np.abs(half - whole).mean() < 257


def test_what_it_cannot_compute_is_named(cuda: Any) -> None:
    import openvino
    from openvino import opset13 as operations

    image = operations.parameter([1, 3, 8, 8], np.float32, name="image")
    with pytest.raises(RotoscopeError, match="cannot compute the network's Sin; set CUDA_VISIBLE_DEVICES"):
        cuda.Network(openvino.Model([operations.sin(image)], [image], "sine"), cuda.DEVICE, half=False)


def test_too_little_memory_is_said(cuda: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    def full(*values: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setitem(cuda.OF_VALUES, "Sigmoid", full)
    with pytest.raises(RotoscopeError, match="too little memory to paint 120x80 pixels"):
        both(catalogue.get("starlit-swirl"), frame_of((80, 120)), monkeypatch)


def test_a_gpu_that_fails_is_left_alone(
    cuda: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As one does that is too old for this PyTorch, or full."""
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "GeForce 8800")
    assert cuda.available()

    def refuse(*_: object) -> None:
        raise RuntimeError("no kernel image is available for execution on the device")

    monkeypatch.setattr(cuda.functional, "conv2d", refuse)
    assert not cuda.available()
    assert "networks compute on the processor: no kernel image" in caplog.text


def test_a_filter_may_be_kept_from_the_gpu(cuda: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx, "has_gpu", lambda: True)
    frame = frame_of((80, 120))
    engines.load(catalogue.get("starlit-swirl"), 2, gpu=False)(frame)
    assert onnx._on_gpu.cache_info().currsize == 0
    engines.load(catalogue.get("starlit-swirl"), 2)(frame)
    assert onnx._on_gpu.cache_info().currsize == 1
