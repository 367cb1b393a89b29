"""Training: a filter of one's own from paintings, as a small network. It needs PyTorch, as painting does on a GPU."""

from importlib import import_module
from types import ModuleType

from rotoscope.errors import RotoscopeError


def steps() -> ModuleType:
    """The module `rotoscope.steps.train`. Raises RotoscopeError where PyTorch is not installed."""
    try:
        return import_module("rotoscope.steps.train")
    except ModuleNotFoundError as missing:
        if missing.name not in ("torch", "torchvision", "onnx"):
            raise
        raise RotoscopeError(
            "Training needs PyTorch, which is not installed here; `make setup-train` does it."
        ) from None
