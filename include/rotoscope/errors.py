"""What can go wrong, sorted by what the caller should do about it."""


class RotoscopeError(Exception):
    """Base of all errors of this package. Its text is one sentence that a user can act on."""


class Refused(RotoscopeError):
    """The source or the request cannot be used as it is: trying again changes nothing, another input may."""


class ProcessFailed(RotoscopeError):
    """A child process (ffmpeg, ffprobe) ended with an error; the text carries the last lines of its log.

    status: its exit status, negative where a signal ended it, None where it never started.
    """

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status

    @property
    def blames_the_input(self) -> bool:
        """Whether the child judged what it read; a signal from outside, or a missing program, says nothing of that."""
        return self.status is not None and self.status > 0


class OverBudget(ProcessFailed):
    """A child process took more time, memory or disk than it may."""

    blames_the_input = True


class Mismatch(RotoscopeError):
    """What was made is not what was expected (frames, timestamps, bytes), so it was thrown away."""
