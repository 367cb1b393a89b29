"""A trained network as an ONNX file, with its weights in half precision."""

import io
import warnings

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from rotoscope.training.trainer import Trainer

IMAGE, PAINTED = "image", "painted"
TRACED = 64
"""Pixels of a side of the picture that the network is followed with; the file takes any size."""
SMALLEST = 64
"""Numbers that a tensor must have for half precision to be worth it."""


def onnx_of(trainer: Trainer) -> bytes:
    """The network as ONNX: input `image` [1, 3, h, w], 0..1, output the same, computed in 32 bits.

    Weights are kept in 16 bits and widened as the file is loaded, which makes it half as large.
    """
    network = trainer.network.cpu().eval()
    held = io.BytesIO()
    axes = {name: {2: "height", 3: "width"} for name in (IMAGE, PAINTED)}
    example = torch.zeros(1, 3, TRACED, TRACED)
    names = {"input_names": [IMAGE], "output_names": [PAINTED], "dynamic_axes": axes}
    with warnings.catch_warnings():
        # The newer exporter wants another package, and gives the same graph.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(network, (example,), held, dynamo=False, **names)
    trainer.network.to(trainer.device)
    model = onnx.load_from_string(held.getvalue())
    _halve(model.graph)
    content: bytes = model.SerializeToString()
    return content


def _halve(graph: onnx.GraphProto) -> None:
    """Keep large weights in 16 bits."""
    for tensor in list(graph.initializer):
        if tensor.data_type != TensorProto.FLOAT or int(np.prod(tensor.dims)) < SMALLEST:
            continue
        half = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), f"{tensor.name}.half")
        graph.initializer.remove(tensor)
        graph.initializer.append(half)
        graph.node.insert(0, helper.make_node("Cast", [half.name], [tensor.name], to=TensorProto.FLOAT))
