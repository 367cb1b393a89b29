"""What is tried with many values: some with the quick tests, all with the slow ones."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest


def one_in(count: int, values: Iterable[Any], name: Callable[[Any], str] = str) -> list[Any]:
    """Parameters, of which one in `count`, from the first on, is of the quick tests and the others are slow."""
    return [
        pytest.param(value, id=name(value), marks=[pytest.mark.slow] if at % count else [])
        for at, value in enumerate(values)
    ]
