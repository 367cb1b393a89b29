"""A trigger that waits, without a worker, until pictures lie at an endpoint."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from algorithmia.hook import AlgorithmiaHook
from rotoscope.algorithmia.errors import AlgorithmiaError, NotFound


class PicturesTrigger(BaseTrigger):
    """Fires when all files of a list are there, or when the time is over; asks by one listing of each directory.

    Its event has `awaited`, how many there were, `missing`, how many are not there, and `why`.
    """

    def __init__(self, algorithmia_conn_id: str, uris: list[str], seconds: float, poll_seconds: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.algorithmia_conn_id = algorithmia_conn_id
        self.uris = uris
        self.seconds = seconds
        self.poll_seconds = poll_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What makes it anew in a triggerer; no secret is in it."""
        fields = ("algorithmia_conn_id", "uris", "seconds", "poll_seconds")
        return "algorithmia.trigger.PicturesTrigger", {name: getattr(self, name) for name in fields}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait."""
        hook = await asyncio.to_thread(AlgorithmiaHook, self.algorithmia_conn_id)
        deadline = time.monotonic() + self.seconds
        while True:
            why = f"the endpoint took longer than {self.seconds:.0f} s"
            try:
                missing = await asyncio.to_thread(self._missing, hook)
            except AlgorithmiaError as error:
                missing, why = len(self.uris), str(error)
                if error.when == "never":
                    deadline = 0.0
            if not missing or time.monotonic() > deadline:
                said = {"awaited": len(self.uris), "missing": missing, "why": why}
                yield TriggerEvent(said)  # type: ignore[no-untyped-call]
                return
            await asyncio.sleep(self.poll_seconds)

    def _missing(self, hook: AlgorithmiaHook) -> int:
        wanted = defaultdict(set)
        for uri in self.uris:
            directory, _, name = uri.rpartition("/")
            wanted[directory].add(name)
        return sum(len(names - _there(hook, directory)) for directory, names in wanted.items())


def _there(hook: AlgorithmiaHook, directory: str) -> set[str]:
    try:
        return {entry.name for entry in hook.data.list(directory)}
    except NotFound:
        return set()
