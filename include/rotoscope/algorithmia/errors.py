"""What an Algorithmia endpoint can answer instead of a result, sorted by when to ask again.

Source: the error types of Algorithmia's public API documents; the messages are those its servers really send.
"""

from typing import Literal

from rotoscope.errors import RotoscopeError

When = Literal["now", "later", "never"]


class AlgorithmiaError(RotoscopeError):
    """Base of all failures of an endpoint. when: whether asking the same again can help, and when.

    seconds: of computing that the endpoint counted for the failed call; wait: seconds it asked to be left alone.
    """

    when: When = "never"

    def __init__(self, text: str, *, seconds: float = 0.0, wait: float | None = None) -> None:
        super().__init__(text)
        self.seconds = seconds
        self.wait = wait


class ConnectionLost(AlgorithmiaError):
    """Nobody answered, or the answer broke off."""

    when = "now"


class NoJson(AlgorithmiaError):
    """What came back is no answer of this protocol: a page of a proxy, or text where JSON is promised."""

    when = "now"


class ServerFault(AlgorithmiaError):
    """The endpoint failed inside (HTTP 500)."""

    when = "now"


class TimedOut(AlgorithmiaError):
    """The algorithm, or the answer, took longer than it may."""

    when = "now"


class RateLimited(AlgorithmiaError):
    """Too many calls in a time."""

    when = "later"


class TooManyCalls(AlgorithmiaError):
    """Too many calls at once."""

    when = "later"


class Unavailable(AlgorithmiaError):
    """The endpoint, or the machine for the algorithm, is not ready: starting, out of memory, in maintenance."""

    when = "later"


class BadCredentials(AlgorithmiaError):
    """The key is missing, wrong or may not do this."""


class PaymentRequired(AlgorithmiaError):
    """The account has no credits left."""


class BadInput(AlgorithmiaError):
    """The algorithm cannot use what it was given."""


class NotFound(AlgorithmiaError):
    """There is no such algorithm, file or collection."""


class AlgorithmFailed(AlgorithmiaError):
    """The algorithm itself broke."""


class BadAnswer(AlgorithmiaError):
    """The algorithm answered, but not with what was asked for: too few pictures, none, or of another size."""


BY_TYPE: dict[str, type[AlgorithmiaError]] = {
    "InputError": BadInput,
    "UnsupportedError": BadInput,
    "TooLargeError": BadInput,
    "ParsingError": BadInput,
    "EntityNotFoundError": NotFound,
    "ThirdPartyCredentialError": BadCredentials,
    "PaymentRequiredError": PaymentRequired,
    "InitializationError": Unavailable,
    "OutOfMemoryError": Unavailable,
    "OutOfGpuMemoryError": Unavailable,
    "LanguageError": AlgorithmFailed,
    "AlgorithmError": AlgorithmFailed,
    "TimeoutError": TimedOut,
}
BY_MESSAGE: dict[str, type[AlgorithmiaError]] = {
    "max number of active calls": TooManyCalls,
    "rate limit": RateLimited,
    "authorization required": BadCredentials,
    "not authorized": BadCredentials,
    "payment required": PaymentRequired,
    "not found": NotFound,
}
"""For errors without a type: parts of their messages."""
BY_STATUS: dict[int, type[AlgorithmiaError]] = {
    400: BadInput,
    401: BadCredentials,
    402: PaymentRequired,
    403: BadCredentials,
    404: NotFound,
    408: TimedOut,
    413: BadInput,
    429: RateLimited,
    500: ServerFault,
    502: Unavailable,
    503: Unavailable,
    504: TimedOut,
}


def kind_of(status: int, message: str, error_type: str | None) -> type[AlgorithmiaError]:
    """The class of an error with this HTTP status, message and `error_type`; the most exact of them decides."""
    if error_type in BY_TYPE:
        return BY_TYPE[error_type]
    lowered = message.lower()
    for part, kind in BY_MESSAGE.items():
        if part in lowered:
            return kind
    if status in BY_STATUS:
        return BY_STATUS[status]
    return ServerFault if status >= 500 else AlgorithmFailed
