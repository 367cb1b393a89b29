"""The engine `onnx`: feed-forward style networks on this machine's processor with ONNX Runtime."""

import os
from functools import cache
from typing import Literal

import numpy as np

from rotoscope.engines import Frame, Paint
from rotoscope.errors import RotoscopeError
from rotoscope.filters.catalogue import Filter, Weights

# ONNX Runtime reads this as it is imported; otherwise it would write below the home folder and call out.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime

MULTIPLE = 4
"""The networks halve a picture twice and double it again."""


@cache
def _session(weights: Weights, threads: int) -> onnxruntime.InferenceSession:
    """One session for a model in this process, however many filters use it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Waiting threads must sleep, not spin: ffmpeg needs the cores that they would burn.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(weights.read(), options, providers=["CPUExecutionProvider"])


def load(filter: Filter, threads: int) -> Paint:
    """A painter with one style of a multi-style network (inputs `image`, `style_weights`).

    Its frames do not depend on `threads`. Raises RotoscopeError if the filter's style is not one of the network's.
    """
    if filter.weights is None:
        raise RotoscopeError(f"Filter {filter.name!r} names no weights for the engine onnx.")
    session = _session(filter.weights, threads)
    styles = session.get_inputs()[1].shape[0]
    style = filter.parameters.get("style", -1)
    if not 0 <= style < styles:
        raise RotoscopeError(f"Filter {filter.name!r} wants style {style} of a network with {styles} styles.")
    chosen = np.zeros(styles, np.float32)
    chosen[style] = 1

    def paint(frame: Frame) -> Frame:
        height, width, _ = frame.shape
        white = np.float32(np.iinfo(frame.dtype).max)
        image = _padded(frame).transpose(2, 0, 1)[None] / white
        (painted,) = session.run(None, {"image": image, "style_weights": chosen})
        pixels = np.clip(painted[0, :, :height, :width], 0, 1) * white + np.float32(0.5)
        return np.ascontiguousarray(pixels.astype(frame.dtype).transpose(1, 2, 0))

    return paint


def _padded(frame: Frame) -> Frame:
    """The frame with its last rows and columns mirrored until the network can halve it."""
    height, width, _ = frame.shape
    below, right = -height % MULTIPLE, -width % MULTIPLE
    mode: Literal["reflect", "edge"] = "reflect" if min(height, width) > MULTIPLE else "edge"
    return np.pad(frame, ((0, below), (0, right), (0, 0)), mode=mode) if below or right else frame
