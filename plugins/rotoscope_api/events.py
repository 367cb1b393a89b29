"""Events: a rotoscope's progress as server-sent events, which can be taken up again where they broke off.

An event's id is its place on the way from the beginning to the end, so it is the same in every server, and what was
seen before is not sent again.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import ClassVar

from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event
from starlette.types import Receive, Scope, Send

from rotoscope.store.base import Store
from rotoscope_api import rotoscopes
from rotoscope_api.airflow import Run
from rotoscope_api.caller import Caller
from rotoscope_api.paintings import DAG

SECONDS = 1.0
"""Between looks at a rotoscope."""
LOOKS = 10.0
"""A second, of all streams of this server together: where more are open, each looks less often, down to when a comment
is due."""
QUIET_SECONDS = 15.0
"""After which a comment shows proxies that the connection lives."""
END = "9"
STEPS = ("queued", "split", "filter", "assemble")

SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "For `Last-Event-ID`."},
        "event": {"enum": ["progress", "end"]},
        "data": {"type": "string", "description": "A rotoscope, as JSON."},
        "retry": {"type": "integer", "description": "Milliseconds to wait before a broken connection is taken up."},
    },
}
"""Of one event."""


class EventStream(StreamingResponse):
    """An answer that goes on."""

    media_type = "text/event-stream"
    _open: ClassVar[set["EventStream"]] = set()

    def __init__(self, content: AsyncIterator[bytes]) -> None:
        super().__init__(content, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, until the last event or until the caller goes."""
        self._open.add(self)
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._open.remove(self)

    @classmethod
    def pace(cls) -> float:
        """Seconds between two looks of a stream."""
        return min(max(SECONDS, len(cls._open) / LOOKS), QUIET_SECONDS)


async def of_run(caller: Caller, store: Store, run: Run, seen: str | None) -> AsyncIterator[bytes]:
    """A `progress` event for each change, and `end` when the run is over. seen: the id of the last that was seen."""
    last, quiet = seen or "", 0.0
    while True:
        found = await rotoscopes.detailed(caller, store, run)
        place = _place(run, found)
        if place > last or run.is_over:
            name = "end" if run.is_over else "progress"
            yield format_sse_event(data_str=found.model_dump_json(), event=name, id=place, retry=2000)
            last, quiet = place, 0.0
        elif quiet >= QUIET_SECONDS:
            yield format_sse_event(comment="still here")
            quiet = 0.0
        if run.is_over:
            return
        seconds = EventStream.pace()
        await asyncio.sleep(seconds)
        quiet += seconds
        run = await caller.airflow.get(DAG, run.id)


def is_all_seen(run: Run, seen: str | None) -> bool:
    """Whether the end of a run that is over was seen."""
    return run.is_over and seen == f"{_attempt(run)}-{END}"


def _place(run: Run, found: rotoscopes.Rotoscope) -> str:
    """Where an event stands: later ones are greater, as text, also when a run is tried again."""
    if run.is_over:
        return f"{_attempt(run)}-{END}"
    progress = found.progress
    step = progress.step if progress else "queued"
    return f"{_attempt(run)}-{STEPS.index(step)}-{progress.share if progress else 0:.4f}"


def _attempt(run: Run) -> str:
    return f"{int(run.started_at.timestamp()) if run.started_at else 0:010}"
