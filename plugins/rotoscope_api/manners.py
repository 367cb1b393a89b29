"""Manners of HTTP that all routes have: request ids, sizes and types of bodies, ETags, pages, waiting, asking twice."""

import base64
import hashlib
import re
import uuid
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Header, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field
from starlette.datastructures import Headers, MutableHeaders

from rotoscope.access import claims
from rotoscope_api.caller import Caller
from rotoscope_api.problems import Problem, answer, bad_cursor
from rotoscope_api.services import Services, threaded

JSON_BYTES = 2**20
"""Of a body that is JSON."""
LONGEST_WAIT = 60
MOST = 100
LAST = 10**9
RETRY_SECONDS = "2"
REPLAYED = "Idempotent-Replayed"
"""A header of answers to what was asked for before, under the same idempotency key."""
Scope = MutableMapping[str, Any]
Send = Callable[[Scope], Awaitable[None]]
Receive = Callable[[], Awaitable[Scope]]
T = TypeVar("T")


Limit = Annotated[int, Query(ge=1, le=MOST, description="Of a page.")]
Cursor = Annotated[
    str | None,
    Query(
        max_length=2000,
        description="`next_cursor` of the page before; leave it out for the first one.",
    ),
]
Id = Annotated[str, Field(max_length=250, pattern=r"^[A-Za-z0-9_.~:+-]+$")]


def _no_number(value: Any) -> Any:
    """A number could be seconds, or milliseconds; a time says its zone."""
    if isinstance(value, str) and re.fullmatch(r"[\d.eE+-]+", value):
        raise ValueError("write a time as RFC 3339 has it, such as 2026-11-25T01:20:36Z")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_no_number)]


class Listed(BaseModel, Generic[T]):
    """A page of a list, the newest first."""

    items: list[T] = Field(description="What is on this page.")
    next_cursor: str | None = Field(default=None, description="Where the next page begins; null on the last one.")


def page_of(found: Sequence[T], limit: int, cursor: str | None) -> Listed[T]:
    """A page of what is all here. Raises Problem for a cursor that no page of this list gave."""
    begin = offset_of(cursor)
    end = begin + limit
    return Listed(items=list(found[begin:end]), next_cursor=cursor_of(end) if end < len(found) else None)


def cursor_of(offset: int) -> str:
    """Where a page begins, as callers hand it back; what is in it is nobody's business but ours."""
    return base64.urlsafe_b64encode(f"at {offset}".encode()).decode()


def offset_of(cursor: str | None) -> int:
    """Where a page begins. Raises Problem for a cursor that is none of ours."""
    if cursor is None:
        return 0
    try:
        word, _, offset = base64.urlsafe_b64decode(cursor.encode()).decode().partition(" ")
        if word == "at" and offset.isascii() and offset.isdigit():
            return min(int(offset), LAST)
    except ValueError:
        pass
    raise bad_cursor()


class Manners:
    """ASGI middleware: names each request, and refuses bodies of another type or size than its path takes."""

    def __init__(self, app: Any, streamed: re.Pattern[str]) -> None:
        self._app = app
        self._streamed = streamed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers, state = Headers(scope=scope), scope.setdefault("state", {})
        wished = headers.get("x-request-id", "")
        state["request_id"] = wished if re.fullmatch(r"[\w.-]{8,64}", wished) else uuid.uuid4().hex
        state["headers"] = {"X-Request-Id": state["request_id"], "X-Content-Type-Options": "nosniff"}

        async def send_with_headers(message: Scope) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(state["headers"])
            await send(message)

        problem = None if self._streamed.search(scope["path"]) else _of_body(headers)
        if problem is not None:
            await answer(Request(scope), problem)(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)


def _of_body(headers: Headers) -> Problem | None:
    """What is wrong with a body by its headers, where JSON is due."""
    length, kind = headers.get("content-length", "0"), headers.get("content-type", "").partition(";")[0].strip().lower()
    if "transfer-encoding" in headers:
        return Problem("bad-request", "Send the body with its length (Content-Length), not in chunks.")
    if not length.isdigit() or int(length) > JSON_BYTES:
        return Problem("too-large", f"The body has {length} bytes; at most {JSON_BYTES} are read.")
    if int(length) and kind != "application/json":
        return Problem("unsupported-media-type", "Send JSON, with the header Content-Type: application/json.")
    return None


async def fresh_id(
    request: Request,
    caller: Caller,
    idempotency_key: str | None,
) -> str:
    """The id for what a request makes: a new one, or, under an idempotency key, that of 24 hours.

    Raises Problem if the key stands for another request.
    """
    if idempotency_key is None:
        return caller.own_runs + uuid.uuid4().hex[: claims.DIGITS]
    services: Services = request.app.state.services
    what = {"path": request.url.path, "body": hashlib.sha256(await request.body()).hexdigest()}
    try:
        claim = await threaded(claims.claim, services.store, caller.tenant, idempotency_key, what)
    except claims.OtherRequest:
        detail = "This Idempotency-Key stood for another request within 24 hours; send a new one."
        raise Problem("key-reused", detail) from None
    if claim.repeated:
        request.state.headers[REPLAYED] = "true"
    return caller.own_runs + claim.id


IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Any text of yours, such as a UUID. Sent again within 24 hours, it makes nothing new.",
    ),
]
Prefer = Annotated[
    str | None,
    Header(
        max_length=200,
        description="`wait=n`: answer when it is over, or after n seconds, 60 at most.",
    ),
]


def seconds_to_wait(prefer: str | None, response: Response) -> float:
    """What a `Prefer: wait=n` asks for (RFC 7240), 0 without one."""
    wish = re.search(r"(?:^|[,;\s])wait\s*=\s*(\d{1,6})", prefer or "")
    if wish is None:
        return 0
    seconds = min(int(wish[1]), LONGEST_WAIT)
    response.headers["Preference-Applied"] = f"wait={seconds}"
    return seconds


def accepted(response: Response, location: str, is_over: bool) -> None:
    """Let an answer say where long work is to be looked for, and when."""
    response.headers["Location"] = location
    if is_over:
        response.status_code = 201
    else:
        response.headers["Retry-After"] = RETRY_SECONDS


def etag_of(document: BaseModel) -> str:
    """A strong ETag for what is sent."""
    return f'"{hashlib.sha256(document.model_dump_json().encode()).hexdigest()[:32]}"'


def check_if_match(if_match: str | None, current: BaseModel) -> None:
    """Raises Problem if what a caller wants to change is not what they saw."""
    seen = [tag.strip() for tag in (if_match or "*").split(",")]
    if "*" not in seen and etag_of(current) not in seen:
        raise Problem("precondition-failed", "It has changed since you saw it; get it again, then decide.")


IfMatch = Annotated[
    str | None,
    Header(
        max_length=1000,
        description="The ETag of what you saw; refused with 412 if it has changed.",
    ),
]
