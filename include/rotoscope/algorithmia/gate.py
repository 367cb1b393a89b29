"""How many calls run at once and how many frames one of them takes: up while it goes well, down when it does not."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

FIRST_CALLS = 5
FIRST_FRAMES = 5
QUICK_SECONDS = 10.0
"""A call that takes less can take more frames."""


class Gate:
    """Lets calls through, `most_calls` at once and `most_frames` each at most; from several threads at once."""

    def __init__(self, most_calls: int, most_frames: int) -> None:
        self.most = most_calls
        self._most_frames = most_frames
        self._calls = min(FIRST_CALLS, most_calls)
        self._frames = min(FIRST_FRAMES, most_frames)
        self._running = 0
        self._changed = threading.Condition()

    @property
    def calls(self) -> int:
        """Calls that may run at once now."""
        return self._calls

    @property
    def frames(self) -> int:
        """Frames that a call should take now."""
        return self._frames

    @contextmanager
    def call(self) -> Iterator[None]:
        """Room for one call, waited for."""
        with self._changed:
            self._changed.wait_for(lambda: self._running < self._calls)
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def went_well(self, seconds: float) -> None:
        """A call succeeded after so many seconds."""
        with self._changed:
            self._calls = min(self.most, self._calls + 1)
            if seconds < QUICK_SECONDS:
                self._frames = min(self._most_frames, self._frames + 1)
            self._changed.notify_all()

    def was_too_much(self) -> None:
        """The endpoint wants fewer calls."""
        with self._changed:
            self._calls = max(1, self._calls // 2)

    def was_too_long(self) -> None:
        """A call did not end in its time, or was too large."""
        with self._changed:
            self._frames = max(1, self._frames // 2)
