"""util/Echo: gives back what it was given."""

from typing import Any

from algorithmia_server.registry import Call

VERSION = "1.0.0"


def run(input: Any, call: Call) -> Any:
    """The input, of whatever type."""
    return input
