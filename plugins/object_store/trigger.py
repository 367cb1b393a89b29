"""A trigger that waits, without a worker, until an object is there."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from object_store.hook import ObjectStoreHook


class ArrivalTrigger(BaseTrigger):
    """Fires when the object of a URI is there, or when the time is over; its event says which."""

    def __init__(
        self, uri: str, seconds: float, poll_seconds: float, aws_conn_id: str, algorithmia_conn_id: str
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.uri = uri
        self.seconds = seconds
        self.poll_seconds = poll_seconds
        self.aws_conn_id = aws_conn_id
        self.algorithmia_conn_id = algorithmia_conn_id

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What makes it anew in a triggerer; no secret is in it."""
        fields = ("uri", "seconds", "poll_seconds", "aws_conn_id", "algorithmia_conn_id")
        return "object_store.trigger.ArrivalTrigger", {name: getattr(self, name) for name in fields}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait."""
        hook = ObjectStoreHook(self.aws_conn_id, self.algorithmia_conn_id)
        deadline = time.monotonic() + self.seconds
        while not (there := await asyncio.to_thread(hook.exists, self.uri)) and time.monotonic() < deadline:
            await asyncio.sleep(self.poll_seconds)
        yield TriggerEvent({"arrived": there})  # type: ignore[no-untyped-call]
