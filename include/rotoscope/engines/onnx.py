"""The engine `onnx`: feed-forward style networks, ONNX files, on this machine's processor with OpenVINO.

OpenVINO paints these networks, made lighter, 1.3 to 1.7 times as fast as ONNX Runtime (`make bench`). Where PyTorch is
installed and finds a GPU, that computes them instead.
"""

import ctypes
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np

from rotoscope.engines import Computing, Frame, Paint
from rotoscope.errors import RotoscopeError
from rotoscope.filters.catalogue import Filter, Weights

# Importing OpenVINO would write below the home folder and call out; without this package it does neither.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]

import openvino  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from openvino import opset13 as operations  # noqa: E402
from openvino.preprocess import PrePostProcessor  # noqa: E402

from rotoscope.engines.lighter import lighten  # noqa: E402

Values = NDArray[np.float32]

MULTIPLE = 4
"""The networks halve a picture twice and double it again."""
SIZES = 8
"""Sizes of pictures for which a network stays compiled; each holds the memory of a picture's features."""
STYLES = "style_weights"
_here = threading.local()
_compiling = threading.Lock()
PLANAR, INTERLEAVED = openvino.Layout("NCHW"), openvino.Layout("NHWC")


@dataclass(frozen=True)
class _Shape:
    """What a network is compiled for: (height, width) and dtype of frames, and how it is run."""

    size: tuple[int, int]
    dtype: str
    how: Computing


def load(filter: Filter, how: Computing) -> Paint:
    """A painter with a network of one style (input `image`, 0..1), or with one style or a blend of a network of many.

    The latter has `style_weights` for its second input. Frames do not depend on the threads. Raises RotoscopeError if
    the filter's style is not one of the network's.
    """
    if filter.weights is None:
        raise RotoscopeError(f"Filter {filter.name!r} names no weights for the engine onnx.")
    weights = filter.weights
    if len(read(weights).inputs) == 1:
        return painter(read, weights, {}, how)
    styles = read(weights).input(STYLES).partial_shape[0].get_length()
    return painter(read, weights, {STYLES: style_weights(filter, styles)}, how)


def style_weights(filter: Filter, styles: int) -> Values:
    """How much of each of a network's styles the filter wants, 0..1. Raises RotoscopeError for one that it lacks."""
    chosen = np.zeros(styles, np.float32)
    for style, share in filter.styles(1.0):
        if not 0 <= style < styles:
            raise RotoscopeError(f"Filter {filter.name!r} wants style {style} of a network with {styles} styles.")
        chosen[style] += share
    return chosen


def painter(
    network: Callable[[Weights], openvino.Model],
    weights: Weights,
    style: dict[str, Values],
    how: Computing,
) -> Paint:
    """Paints with a network whose input `image` is RGB in planes, 0..1, as is its output.

    network: makes it of its weights; style: its other inputs, float32.
    """

    def paint(frame: Frame) -> Frame:
        height, width, _ = frame.shape
        image = np.ascontiguousarray(_padded(frame))
        shape = _Shape(image.shape[:2], frame.dtype.name, how)
        inputs = {"image": image[None], **style}
        if how.gpu and has_gpu():
            with _compiling:
                on_gpu = _on_gpu(network, weights, shape)
            painted = on_gpu(inputs)
        else:
            painted = _request(network, weights, shape).infer(inputs, share_inputs=True)[0]
        return np.ascontiguousarray(painted[0, :height, :width])

    return paint


def _request(network: Callable[[Weights], openvino.Model], weights: Weights, shape: _Shape) -> Any:
    """Where the calling thread runs a network for frames of one shape, whatever its style is."""
    held = _here.__dict__.setdefault("requests", {})
    before, request = held.get((network, weights), (None, None))
    if before != shape:
        with _compiling:  # those who paint side by side begin together, and compile once
            compiled = _compiled(network, weights, shape)
        request = compiled.create_infer_request()
        held[network, weights] = shape, request
    return request


@cache
def read(weights: Weights) -> openvino.Model:
    """The network in an ONNX file."""
    return openvino.Core().read_model(weights.read())


@cache
def has_gpu() -> bool:
    """Whether PyTorch is here and can use a GPU, which is not looked for without a driver: that takes seconds."""
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    if find_spec("torch") is None:
        return False
    from rotoscope.engines import cuda

    return cuda.available()


@lru_cache(SIZES)
def _on_gpu(network: Callable[[Weights], openvino.Model], weights: Weights, shape: _Shape) -> Any:
    """The network on the GPU."""
    from rotoscope.engines import cuda

    return cuda.Network(_for(network, weights, shape), cuda.DEVICE, shape.how.half)


@lru_cache(SIZES)
def _compiled(network: Callable[[Weights], openvino.Model], weights: Weights, shape: _Shape) -> Any:
    """The network on the processor."""
    options = {
        "INFERENCE_NUM_THREADS": shape.how.threads,
        "NUM_STREAMS": shape.how.at_once,
        # Machines that compute in bfloat16 paint slightly other pictures than those that do not.
        "INFERENCE_PRECISION_HINT": "bf16" if shape.how.half else "f32",
        # Tasks side by side would all be pinned to the same cores.
        "ENABLE_CPU_PINNING": False,
    }
    return openvino.Core().compile_model(_for(network, weights, shape), "CPU", options)


def _for(network: Callable[[Weights], openvino.Model], weights: Weights, shape: _Shape) -> openvino.Model:
    """The network for frames as they are, (1, height, width, 3): conversions happen inside, next to the arithmetic."""
    white = float(np.iinfo(shape.dtype).max)
    outside = openvino.Type(np.dtype(shape.dtype))
    steps = PrePostProcessor(network(weights).clone())
    image = steps.input("image")
    image.tensor().set_element_type(outside).set_layout(INTERLEAVED)
    # Scaled last, so that `lighten` finds planes of whole levels.
    image.preprocess().convert_element_type(openvino.Type.f32).convert_layout(PLANAR).scale(white)
    image.model().set_layout(PLANAR)
    painted = steps.output(0)
    painted.model().set_layout(PLANAR)
    painted.postprocess().custom(lambda node: _pixels(node, white))
    painted.tensor().set_element_type(outside).set_layout(INTERLEAVED)
    model = steps.build()
    model.reshape({"image": [1, *shape.size, 3]})
    lighten(model, shape.how.half)
    return model


def _pixels(node: openvino.Output, white: float) -> openvino.Output:
    """0..1 as 0..white, such that cutting off the fraction rounds."""
    scaled = operations.multiply(operations.clamp(node, 0.0, 1.0), np.float32(white))
    return operations.add(scaled, np.float32(0.5)).output(0)


def _padded(frame: Frame) -> Frame:
    """The frame with its last rows and columns mirrored until the network can halve it."""
    height, width, _ = frame.shape
    below, right = -height % MULTIPLE, -width % MULTIPLE
    mode: Literal["reflect", "edge"] = "reflect" if min(height, width) > MULTIPLE else "edge"
    return np.pad(frame, ((0, below), (0, right), (0, 0)), mode=mode) if below or right else frame
