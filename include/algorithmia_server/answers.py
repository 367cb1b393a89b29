"""Answers in the protocol's shapes: results with their metadata, and errors."""

import base64
import json
from typing import Any

from fastapi.responses import JSONResponse, Response

from algorithmia_server.errors import ProtocolError


def result(value: Any, seconds: float) -> Response:
    """What a call gave: bytes as base64, a string as text, anything else as JSON."""
    kind = "binary" if isinstance(value, bytes) else "text" if isinstance(value, str) else "json"
    shown = base64.b64encode(value).decode() if isinstance(value, bytes) else value
    return JSONResponse({"result": shown, "metadata": {"content_type": kind, "duration": round(seconds, 6)}})


def raw(value: Any) -> Response:
    """The bare result, without metadata."""
    if isinstance(value, bytes):
        return Response(value, media_type="application/octet-stream")
    if isinstance(value, str):
        return Response(value, media_type="text/plain")
    return Response(json.dumps(value), media_type="application/json")


def failed_call(error: ProtocolError, seconds: float) -> Response:
    """An algorithm's error: the call itself was well formed, so HTTP says that all is well."""
    return JSONResponse({**_shape(error), "metadata": {"duration": round(seconds, 6)}})


def refused(error: ProtocolError) -> Response:
    """What the server would not do; with the message in a header too, since HEAD has no body."""
    # A header holds no more than Latin-1.
    message = error.message.encode("latin-1", "replace").decode("latin-1").replace("\n", " ")
    return JSONResponse(_shape(error), error.status, {"X-Error-Message": message, **error.headers})


def _shape(error: ProtocolError) -> dict[str, Any]:
    said: dict[str, Any] = {"message": error.message}
    if error.error_type:
        said |= {"error_type": error.error_type, "stacktrace": ""}
    return {"error": said}
