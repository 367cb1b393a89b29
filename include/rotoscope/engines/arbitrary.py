"""The engine `arbitrary`: one network that paints in the style of any picture, given as a vector of 100 numbers.

Ghiasi et al., "Exploring the structure of a real-time, arbitrary neural artistic stylization network", 2017. The model
pack holds its second half for pictures of 384x384 only, in 8 bits; here its weights make the same network for any size.
"""

from functools import cache

import numpy as np
from PIL import Image

from rotoscope.engines import Computing, Frame, Paint
from rotoscope.engines.onnx import Values, painter, read
from rotoscope.errors import RotoscopeError
from rotoscope.filters.catalogue import Filter, Weights

# After the engine onnx, which keeps OpenVINO from calling out.
import openvino  # isort: skip
from openvino import opset13 as operations  # isort: skip

VECTOR = 100
"""Numbers that a style comes down to."""
LOOKED_AT = 256
"""Pixels of a side of the square that a style is taken from."""
RESIDUAL_BLOCKS = 5
INSTANCE, PLANES = 0.001, (2, 3)
"""What keeps the norm of a flat plane finite, as the pack's network has it; the axes that it is taken over."""
IMAGE, STYLE = "image", "style"


def load(filter: Filter, how: Computing) -> Paint:
    """A painter in the style of the filter's vector. Raises RotoscopeError if it has none."""
    vector = np.asarray(filter.parameters.get("vector", []), np.float32)
    if filter.weights is None or vector.shape != (VECTOR,):
        raise RotoscopeError(f"Filter {filter.name!r} names no weights, or no vector, for the engine arbitrary.")
    return painter(network, filter.weights, {STYLE: vector.reshape(1, VECTOR, 1, 1)}, how)


def style_vector(picture: Frame, weights: Weights) -> list[float]:
    """The style of an RGB picture of shape (height, width, 3), uint8: 100 numbers. weights: those of the first half."""
    compiled = openvino.Core().compile_model(read(weights), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    vector = compiled([_square(picture)[None].astype(np.float32) / 255])[0]
    return [round(float(number), 6) for number in vector.reshape(VECTOR)]


@cache
def network(weights: Weights) -> openvino.Model:
    """The second half, for any size: inputs `image` [1, 3, h, w], 0..1, and `style` [1, 100, 1, 1]; one output."""
    made = _Network(_unpacked(weights))
    image = operations.parameter([1, 3, -1, -1], np.float32, name=IMAGE)
    style = operations.parameter([1, VECTOR, 1, 1], np.float32, name=STYLE)
    for one, name in ((image, IMAGE), (style, STYLE)):
        one.output(0).set_names({name})
    features = image
    for number, stride in ((1, 1), (2, 2), (3, 2)):
        name = f"contract/conv{number}"
        features = operations.relu(operations.add(made.convolved(features, name, stride), made.bias(name)))
    for number in range(1, RESIDUAL_BLOCKS + 1):
        name = f"residual/residual{number}"
        inner = operations.relu(made.styled(features, f"{name}/conv1", style))
        features = operations.add(features, made.styled(inner, f"{name}/conv2", style))
    for number in (1, 2):
        features = operations.relu(made.styled(_doubled(features), f"expand/conv{number}/conv", style))
    painted = operations.sigmoid(made.styled(features, "expand/conv3/conv", style))
    return openvino.Model([painted], [image, style], "arbitrary")


class _Network:
    """The layers of the network, of its weights by the names that they have in the pack."""

    def __init__(self, weights: dict[str, Values]) -> None:
        self._weights = weights

    def convolved(self, features: openvino.Node, name: str, stride: int = 1) -> openvino.Node:
        kernel = self._weights[f"{name}/weights"]
        around = kernel.shape[2] // 2
        edges = [0, 0, around, around]
        mirrored = operations.pad(features, edges, edges, "reflect")
        return operations.convolution(mirrored, kernel, [stride, stride], [0, 0], [0, 0], [1, 1])

    def bias(self, name: str) -> Values:
        return self._weights[f"{name}/Conv2D_bias"].reshape(1, -1, 1, 1)

    def styled(self, features: openvino.Node, name: str, style: openvino.Node) -> openvino.Node:
        """Convolved, and normed in each plane to what the style wants there: conditional instance normalisation."""
        normed = operations.mvn(self.convolved(features, name), np.array(PLANES), True, INSTANCE, "inside_sqrt")
        shift, scale = (self._wanted(f"{name}/StyleNorm/{part}", style) for part in ("Conv", "Conv_1"))
        return operations.add(operations.multiply(normed, scale), shift)

    def _wanted(self, name: str, style: openvino.Node) -> openvino.Node:
        product = operations.convolution(style, self._weights[f"{name}/weights"], [1, 1], [0, 0], [0, 0], [1, 1])
        return operations.add(product, self.bias(name))


def _square(picture: Frame) -> Frame:
    """The middle of a picture as the network wants to see it."""
    height, width, _ = picture.shape
    side = min(height, width)
    left, top = (width - side) // 2, (height - side) // 2
    box = (left, top, left + side, top + side)
    square = Image.fromarray(picture).resize((LOOKED_AT, LOOKED_AT), Image.Resampling.LANCZOS, box)
    return np.asarray(square)


def _doubled(features: openvino.Node) -> openvino.Node:
    factors, axes = np.array([2.0, 2.0], np.float32), np.array(PLANES)
    return operations.interpolate(features, factors, "nearest", "scales", axes=axes)


def _unpacked(weights: Weights) -> dict[str, Values]:
    """Kernels and biases as floats, by their names within the network; the graph that unpacks them is run as it is."""
    ending = "_dequant"
    wanted = {
        node.get_friendly_name().rpartition("transformer/")[2].removesuffix(ending): node.output(0)
        for node in read(weights).get_ops()
        if node.get_friendly_name().endswith((f"weights{ending}", f"Conv2D_bias{ending}"))
    }
    constants = openvino.Core().compile_model(openvino.Model(list(wanted.values()), []), "CPU")([])
    return {name: np.array(constants[place]) for place, name in enumerate(wanted)}
