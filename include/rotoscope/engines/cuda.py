"""Networks on a GPU: what OpenVINO read and made lighter, computed operation by operation with PyTorch.

OpenVINO does not compute on NVIDIA's GPUs, and PyTorch is there where filters are trained. It computes alike on its
other devices, the processor among them.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import openvino
import torch
from numpy.typing import NDArray
from torch.nn import functional

from rotoscope.engines.lighter import BLOCK, FEW, REPEATING
from rotoscope.errors import RotoscopeError

Operation = Callable[..., torch.Tensor]
Values = NDArray[Any]

log = logging.getLogger(__name__)

DEVICE = torch.device("cuda")
PROCESSOR = "set CUDA_VISIBLE_DEVICES to nothing to paint on the processor"
"""What helps against all that goes wrong on a GPU."""
KINDS = {"boolean": torch.bool, "u8": torch.uint8, "u16": torch.int32, "f16": torch.float16, "f32": torch.float32}
"""Types of values; 16-bit levels, with which PyTorch does little, are 32-bit ones until they leave."""
BORDERS = {"reflect": "reflect", "edge": "replicate"}

# A frame's paint must not depend on what was painted before, and is in the precision that was asked for.
torch.backends.cudnn.deterministic = True
torch.backends.cudnn.allow_tf32 = False


def available() -> bool:
    """Whether there is a GPU that PyTorch can compute on; the log says which one, or why it cannot."""
    if not torch.cuda.is_available():
        return False
    try:
        name, planes = torch.cuda.get_device_name(DEVICE), torch.zeros((1, 3, 8, 8), device=DEVICE)
        functional.conv2d(planes, planes).cpu()
    except RuntimeError as failure:  # too old for this PyTorch, or full
        log.warning("PyTorch finds a GPU that it cannot use, so networks compute on the processor: %s", failure)
        return False
    log.info("Networks compute on the GPU %s", name)
    return True


class Network:
    """A network whose shapes are known, made ready for a device.

    half: its convolutions compute in half precision. Raises RotoscopeError for an operation that is not here. It takes
    one frame at a time, whatever thread it comes from: the features of more would only fill the memory.
    """

    def __init__(self, model: openvino.Model, device: torch.device, half: bool) -> None:
        self._device, self._free = device, threading.Lock()
        self._constants: dict[str, torch.Tensor] = {}
        self._steps: list[tuple[str, Operation, list[str]]] = []
        self._parameters = {one.any_name: one.get_node().get_name() for one in model.inputs}
        for node in model.get_ordered_ops():
            name, kind = node.get_name(), node.get_type_name()
            if kind == "Constant":
                self._constants[name] = torch.tensor(node.get_data(), device=device)
            elif kind == "Result":
                self._result, self._type = _inputs(node)[0], node.get_input_element_type(0).to_dtype()
            elif kind != "Parameter":
                self._steps.append((name, _operation(node, half), _inputs(node)))
        self._done_with = self._last_uses()

    def __call__(self, inputs: Mapping[str, Values]) -> Values:
        """What the network gives for its inputs, by name. Raises RotoscopeError if the device's memory is too small."""
        try:
            with self._free, torch.inference_mode():
                return self._computed(inputs)
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
            height, width = inputs["image"].shape[1:3]
            raise RotoscopeError(
                f"The GPU has too little memory to paint {width}x{height} pixels; paint fewer at once, or {PROCESSOR}."
            ) from None

    def _computed(self, inputs: Mapping[str, Values]) -> Values:
        values = self._constants | {self._parameters[name]: self._sent(value) for name, value in inputs.items()}
        for (name, operation, taken), gone in zip(self._steps, self._done_with, strict=True):
            values[name] = operation(*(values[one] for one in taken))
            for one in gone:
                del values[one]
        painted: Values = values[self._result].cpu().numpy()
        return painted.astype(self._type, copy=False)

    def _sent(self, value: Values) -> torch.Tensor:
        whole = value.astype(np.int32) if value.dtype == np.uint16 else value
        return torch.tensor(whole, device=self._device)

    def _last_uses(self) -> list[list[str]]:
        """After each step, what no later one takes: a picture's features are large."""
        kept = {self._result, *self._constants}
        gone: list[list[str]] = []
        for _, _, taken in reversed(self._steps):
            gone.append([name for name in dict.fromkeys(taken) if name not in kept])
            kept.update(taken)
        return gone[::-1]


def _inputs(node: openvino.Node) -> list[str]:
    return [value.get_node().get_name() for value in node.input_values()]


def _operation(node: openvino.Node, half: bool) -> Operation:
    """What computes a node's output of its inputs."""
    kind = node.get_type_name()
    if kind == "Convolution":
        return _convolution(node, half)
    if kind in OF_VALUES:
        return OF_VALUES[kind]
    if kind in MADE:
        return MADE[kind](node)
    raise _unknown(node)


def _unknown(node: openvino.Node) -> RotoscopeError:
    return RotoscopeError(f"A GPU cannot compute the network's {node.get_type_name()}; {PROCESSOR}.")


def _known(node: openvino.Node, place: int) -> list[int]:
    """The numbers in an input that is known beforehand."""
    source = node.input_value(place).get_node()
    if source.get_type_name() != "Constant":
        raise _unknown(node)
    numbers: list[int] = np.atleast_1d(source.get_data()).tolist()
    return numbers


def _convolution(node: openvino.Node, half: bool) -> Operation:
    how = node.get_attributes()
    if how["pads_begin"] != how["pads_end"]:
        raise _unknown(node)
    steps = (how["strides"], how["pads_begin"], how["dilations"])
    # A frame's levels may be of 16 bits, which half precision does not hold.
    if not half or node.input_value(0).get_shape()[1] <= FEW:
        return lambda planes, kernels: functional.conv2d(planes, kernels, None, *steps)
    return lambda planes, kernels: functional.conv2d(planes.half(), kernels.half(), None, *steps).float()


def _pad(node: openvino.Node) -> Operation:
    *outer, above, left = _known(node, 1)
    *other, below, right = _known(node, 2)
    mode = BORDERS.get(node.get_attributes()["pad_mode"])
    if any(outer + other) or mode is None:
        raise _unknown(node)
    return lambda planes, *_: functional.pad(planes, (left, right, above, below), mode)


def _reduced(by: Operation) -> Callable[[openvino.Node], Operation]:
    def made(node: openvino.Node) -> Operation:
        axes, keep = tuple(_known(node, 1)), node.get_attributes()["keep_dims"]
        return lambda planes, _: by(planes, dim=axes, keepdim=keep)

    return made


def _slice(node: openvino.Node) -> Operation:
    every = [slice(None)] * len(node.input_value(0).get_shape())
    for first, last, step, axis in zip(*(_known(node, place) for place in (1, 2, 3, 4)), strict=True):
        if step < 1:
            raise _unknown(node)
        every[axis] = slice(first, last, step)
    return lambda planes, *_: planes[tuple(every)]


def _doubled(node: openvino.Node) -> Operation:
    """Planes whose pixels are repeated once in each direction, as all networks here do that make them larger."""
    how = node.get_attributes()
    (*_, rows, columns), (*_, height, width) = node.input_value(0).get_shape(), node.get_output_shape(0)
    placed = how["coordinate_transformation_mode"], how["nearest_mode"]
    if how["mode"] != "nearest" or placed not in REPEATING or (height, width) != (BLOCK * rows, BLOCK * columns):
        raise _unknown(node)
    return lambda planes, *_: functional.interpolate(planes, (height, width), mode="nearest")


def _pixels_of_blocks(node: openvino.Node) -> Operation:
    """Planes of blocks laid out as pixels; the place in the block comes first, other than `pixel_shuffle` has it."""
    how = node.get_attributes()
    if how["mode"] != "blocks_first":
        raise _unknown(node)
    side, shape = how["block_size"], node.get_output_shape(0)

    def laid_out(planes: torch.Tensor) -> torch.Tensor:
        one, blocks, height, width = planes.shape
        places = planes.reshape(one, side, side, blocks // side**2, height, width)
        return places.permute(0, 3, 4, 1, 5, 2).reshape(*shape)

    return laid_out


def _reshaped(node: openvino.Node) -> Operation:
    shape = list(node.get_output_shape(0))
    return lambda planes, *_: planes.reshape(shape)


def _converted(node: openvino.Node) -> Operation:
    kind = KINDS.get(node.get_attributes()["destination_type"])
    if kind is None:
        raise _unknown(node)
    return lambda planes: planes.to(kind)


def _transposed(node: openvino.Node) -> Operation:
    order = _known(node, 1)
    return lambda planes, _: planes.permute(order)


def _rounded(node: openvino.Node) -> Operation:
    if node.get_attributes()["mode"] != "half_to_even":
        raise _unknown(node)
    return lambda planes: torch.round(planes)


def _clamped(node: openvino.Node) -> Operation:
    how = node.get_attributes()
    return lambda planes: planes.clamp(how["min"], how["max"])


def _joined(node: openvino.Node) -> Operation:
    axis = node.get_attributes()["axis"]
    return lambda *parts: torch.cat(parts, axis)


OF_VALUES: dict[str, Operation] = {
    "Add": torch.add,
    "Divide": torch.div,
    "LessEqual": torch.le,
    "Multiply": torch.mul,
    "Power": torch.pow,
    "Relu": torch.relu,
    "Select": torch.where,
    "Sigmoid": torch.sigmoid,
    "Sqrt": torch.sqrt,
    "Subtract": torch.sub,
}
"""Operations that PyTorch has as they are."""
MADE: dict[str, Callable[[openvino.Node], Operation]] = {
    "Clamp": _clamped,
    "Concat": _joined,
    "Convert": _converted,
    "DepthToSpace": _pixels_of_blocks,
    "Interpolate": _doubled,
    "Pad": _pad,
    "ReduceL2": _reduced(torch.linalg.vector_norm),
    "ReduceMean": _reduced(torch.mean),
    "ReduceSum": _reduced(torch.sum),
    "Reshape": _reshaped,
    "Round": _rounded,
    "Slice": _slice,
    "Transpose": _transposed,
    "Unsqueeze": _reshaped,
}
"""What makes an operation of all that is known of it beforehand."""
