"""A trigger that waits, without a worker, until an object is there."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent
from botocore.exceptions import BotoCoreError, ClientError

from object_store.connection import store_from
from object_store.hook import ObjectStoreHook
from rotoscope.algorithmia.errors import AlgorithmiaError


class ArrivalTrigger(BaseTrigger):
    """Fires when the object of a URI is there, or when the time is over; its event says which.

    With a store connection, the URI is a key of that store.
    """

    def __init__(
        self,
        uri: str,
        seconds: float,
        poll_seconds: float,
        aws_conn_id: str,
        algorithmia_conn_id: str,
        store_connection: str | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.uri = uri
        self.seconds = seconds
        self.poll_seconds = poll_seconds
        self.aws_conn_id = aws_conn_id
        self.algorithmia_conn_id = algorithmia_conn_id
        self.store_connection = store_connection

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What makes it anew in a triggerer; no secret is in it."""
        fields = ("uri", "seconds", "poll_seconds", "aws_conn_id", "algorithmia_conn_id", "store_connection")
        return "object_store.trigger.ArrivalTrigger", {name: getattr(self, name) for name in fields}

    def _is_there(self, hook: ObjectStoreHook) -> bool:
        """Whether it is there; what cannot be asked now is asked again."""
        try:
            if self.store_connection:
                return store_from(self.store_connection).exists(self.uri)
            return hook.exists(self.uri)
        except (AlgorithmiaError, BotoCoreError, ClientError) as error:
            self.log.warning("%s could not be looked for: %s", self.uri, error)
            return False

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait."""
        hook = ObjectStoreHook(self.aws_conn_id, self.algorithmia_conn_id)
        deadline = time.monotonic() + self.seconds
        while not (there := await asyncio.to_thread(self._is_there, hook)) and time.monotonic() < deadline:
            await asyncio.sleep(self.poll_seconds)
        yield TriggerEvent({"arrived": there})  # type: ignore[no-untyped-call]
