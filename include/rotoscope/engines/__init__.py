"""Engines run filters. Each is one module with a function `load`; the catalogue's data files name them.

They are imported when they are needed: a DAG is parsed often, and their libraries take long to import.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rotoscope.errors import RotoscopeError
from rotoscope.filters.catalogue import Filter, Weights

Frame = NDArray[np.unsignedinteger[Any]]
"""One RGB(A) frame of shape (height, width, 3 or 4), uint8 or uint16."""
Paint = Callable[[Frame], Frame]
"""Paints one frame: RGB of shape (height, width, 3) in, uint8 or uint16, the same out; from several threads at once."""
Painter = Callable[[Iterable[tuple[int, Frame]]], Iterator[tuple[int, Frame, Frame]]]
"""Gives (index, frame, painted RGB frame) for each (index, RGB(A) frame), in order, with some of them on their way."""

ENGINES = {name: f"rotoscope.engines.{name}" for name in ("onnx", "arbitrary", "classical")}


@dataclass(frozen=True)
class Computing:
    """How a filter computes: threads in all, frames at once, whether half precision will do, whether a GPU may."""

    threads: int
    at_once: int = 1
    half: bool = False
    gpu: bool = True


def load(filter: Filter, threads: int, at_once: int = 1, half: bool = False, gpu: bool = True) -> Paint:
    """Make a filter ready to paint `at_once` frames side by side with `threads` threads in all.

    half: its network may compute in half precision, where the processor does, or the GPU; gpu: it may use a GPU, where
    there is one. Raises RotoscopeError if it cannot be made ready.
    """
    try:
        module = import_module(ENGINES[filter.engine])
    except KeyError:
        raise RotoscopeError(f"Filter {filter.name!r} wants the engine {filter.engine!r}, which is not here.") from None
    paint: Paint = module.load(filter, Computing(threads, at_once, half, gpu))
    return paint


def style_vector(picture: Frame, weights: Weights) -> list[float]:
    """The style of an RGB picture of shape (height, width, 3), uint8, as the engine `arbitrary` paints with it.

    weights: of the network that finds styles.
    """
    vector: list[float] = import_module(ENGINES["arbitrary"]).style_vector(picture, weights)
    return vector
