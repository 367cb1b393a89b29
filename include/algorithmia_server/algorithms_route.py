"""The route that calls algorithms."""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from typing import Annotated, Any, Literal

import anyio
import anyio.to_thread
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response

from algorithmia_server import answers, bodies, metrics
from algorithmia_server.auth import caller
from algorithmia_server.errors import InputError, ProtocolError
from algorithmia_server.files import Files
from algorithmia_server.registry import Algorithm, Call, find
from algorithmia_server.settings import settings
from algorithmia_server.slots import slot

DEFAULT_SECONDS, LONGEST_SECONDS = 300, 3000

log = logging.getLogger(__name__)
router = APIRouter()
background: set[asyncio.Task[Any]] = set()
"""Calls whose callers do not wait; held here so that none is collected half way."""


@cache
def _threads() -> anyio.CapacityLimiter:
    """Threads for calls, apart from those for files, which must not wait for them."""
    return anyio.CapacityLimiter(settings().calls_at_once * len(settings().keys))


@router.post("/v1/algo/{path:path}")
async def call_algorithm(
    path: str,
    request: Request,
    user: Annotated[str, Depends(caller)],
    timeout: float = DEFAULT_SECONDS,
    output: Literal["raw", "void"] | None = None,
) -> Response:
    """Call an algorithm; a call that is well formed gets HTTP 200, with a result or with an error."""
    input = bodies.value(await bodies.whole(request), request.headers.get("Content-Type", ""))
    call = Call(Files(settings(), user), settings(), min(timeout, LONGEST_SECONDS))
    start = time.perf_counter()
    try:
        algorithm = find(path)
        if output == "void":
            return _begun(algorithm, input, call)
        value = await _within(algorithm, input, call)
    except ProtocolError as error:
        metrics.count(path, "error", time.perf_counter() - start)
        if output == "raw" or error.status not in (400, 404):
            return answers.refused(error)
        return answers.failed_call(error, time.perf_counter() - start)
    seconds = time.perf_counter() - start
    metrics.count(path, "result", seconds)
    return _checked(answers.raw(value) if output == "raw" else answers.result(value, seconds))


def _checked(answer: Response) -> Response:
    most = settings().result_bytes
    if len(answer.body) > most:
        raise InputError(f"the result is larger than {most} bytes; write it to a file", "TooLargeError")
    return answer


async def _within(algorithm: Algorithm, input: Any, call: Call) -> Any:
    """The result of a call, in its time. What takes longer goes on, and keeps its slot, until it ends by itself."""
    task = _started(_run, algorithm, input, call)
    try:
        return await asyncio.wait_for(asyncio.shield(task), call.seconds)
    except TimeoutError:
        raise InputError(f"the algorithm took longer than {call.seconds:g} s", "TimeoutError") from None


def _begun(algorithm: Algorithm, input: Any, call: Call) -> Response:
    """A call whose caller does not wait: it can only watch for the files that the algorithm writes."""
    held = ExitStack()
    held.enter_context(slot(call.settings.data / ".slots", call.files.user, call.settings.calls_at_once))

    def work() -> Any:
        with held:
            return algorithm(input, call)

    _started(work)
    return JSONResponse({"async": "void", "request_id": f"req-{uuid.uuid4()}"})


def _started(work: Callable[..., Any], *arguments: Any) -> asyncio.Task[Any]:
    """Work in a thread for calls, which goes on whoever waits for it."""
    task = asyncio.ensure_future(anyio.to_thread.run_sync(work, *arguments, limiter=_threads()))
    background.add(task)
    task.add_done_callback(_forget)
    return task


def _forget(task: asyncio.Task[Any]) -> None:
    background.discard(task)
    if not task.cancelled() and (error := task.exception()) and not isinstance(error, ProtocolError):
        log.error("A call failed", exc_info=error)


def _run(algorithm: Algorithm, input: Any, call: Call) -> Any:
    with slot(call.settings.data / ".slots", call.files.user, call.settings.calls_at_once):
        try:
            return algorithm(input, call)
        except ProtocolError:
            raise
        except Exception as error:
            log.exception("An algorithm failed")
            raise InputError(f"the algorithm failed ({type(error).__name__})", "AlgorithmError") from None
