"""A trigger that Airflow keeps running for each inbox: its events start the inbox's DAG."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from object_store.connection import DEFAULT_CONNECTION, store_from
from object_store.hook import ObjectStoreHook
from rotoscope.batch.inbox import Inbox

MOST = 100
"""Videos that one event hands on; the next ones come with the next look."""


class InboxTrigger(BaseEventTrigger):
    """Fires with the places of videos that have arrived, each of them once."""

    def __init__(self, name: str, place: str, seconds: float = 10, store_connection: str = DEFAULT_CONNECTION) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.name = name
        self.place = place
        self.seconds = seconds
        self.store_connection = store_connection
        self._inbox: Inbox | None = None

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What makes it anew in a triggerer."""
        fields = ("name", "place", "seconds", "store_connection")
        return "rotoscope_batches.arrivals.InboxTrigger", {name: getattr(self, name) for name in fields}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look again and again; what cannot be looked at now is looked at later."""
        while True:
            try:
                arrived = await asyncio.to_thread(self._look)
                if arrived:
                    self.log.info("%d videos have arrived in %s", len(arrived), self.place)
                    yield TriggerEvent({"videos": arrived})  # type: ignore[no-untyped-call]
                    await asyncio.to_thread(self._opened().hand_on, arrived)
            except Exception as error:  # whatever it is, an inbox must not stop for it
                self.log.warning("%s cannot be looked at now: %s", self.place, error)
            await asyncio.sleep(self.seconds)

    def _look(self) -> list[str]:
        return self._opened().look()[:MOST]

    def _opened(self) -> Inbox:
        """The inbox, which remembers what it saw."""
        if self._inbox is None:
            self._inbox = Inbox(store_from(self.store_connection), self.name, self.place, ObjectStoreHook().listed)
        return self._inbox
