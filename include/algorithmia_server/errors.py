"""What the server can refuse, in the protocol's words."""


class ProtocolError(Exception):
    """An error that a caller gets to see. status: of HTTP, where the call itself is refused."""

    status = 400

    def __init__(self, message: str, error_type: str | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.error_type = error_type
        self.status = status if status is not None else self.status
        self.headers: dict[str, str] = {}


class InputError(ProtocolError):
    """An algorithm cannot use what it was given."""

    def __init__(self, message: str, error_type: str = "InputError") -> None:
        super().__init__(message, error_type)


class NotFound(ProtocolError):
    """There is no such algorithm, file or directory, or none that the caller may see."""

    status = 404


class Unauthorized(ProtocolError):
    """No key, or none that is known."""

    status = 401

    def __init__(self) -> None:
        super().__init__("authorization required")


class TooManyCalls(ProtocolError):
    """The caller has as many calls running as may be."""

    status = 429

    def __init__(self, most: int) -> None:
        super().__init__(f"algorithm hit max number of active calls per session (max: {most})")
        self.headers = {"Retry-After": "1"}
