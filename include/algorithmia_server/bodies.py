"""What callers send with a request, whether its length is announced or it comes in chunks."""

import json
from typing import Any

from fastapi import Request

from algorithmia_server.errors import InputError
from algorithmia_server.settings import settings


async def whole(request: Request) -> bytes:
    """The body of a request. Raises InputError if it is larger than may be."""
    most = settings().request_bytes
    body = bytearray()
    async for block in request.stream():
        body += block
        if len(body) > most:
            raise InputError(f"the input is larger than {most} bytes; put it into a file", "TooLargeError")
    return bytes(body)


async def json_object(request: Request) -> dict[str, Any]:
    """The JSON object in a request. Raises InputError if it holds none."""
    try:
        said = json.loads(await whole(request))
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise InputError("the body must be a JSON object", "ParsingError")
    return said


def value(body: bytes, content_type: str) -> Any:
    """The input of a call as its content type says: JSON, text or bytes. Raises InputError if it is not that."""
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if kind in ("text/plain", "application/text"):
            return body.decode()
        if kind in ("", "application/json"):
            return json.loads(body) if body else None
    except ValueError:
        raise InputError(f"the input is no {kind or 'JSON'}", "ParsingError") from None
    return body
