"""Calls at once of a user, counted over all processes of the server by locks on files, which end with their holder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from algorithmia_server.errors import TooManyCalls


@contextmanager
def slot(folder: Path, user: str, most: int) -> Iterator[None]:
    """One of a user's `most` slots, for the length of a `with` block. Raises TooManyCalls if none is free."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(most):
        descriptor = os.open(folder / f"{user}-{number}", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        try:
            yield
        finally:
            os.close(descriptor)
        return
    raise TooManyCalls(most)
