"""A trigger that waits for a batch's next turn: for a place among those at once, and for its window."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pendulum
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

from rotoscope.batch.window import Window

FINISHED = ["success", "failed", "skipped", "upstream_failed", "removed"]
POLL_SECONDS = 2.0
_seen: dict[tuple[str, str, str], tuple[float, int]] = {}
"""How many tasks of a run were over, and when that was asked: a thousand may wait for it here."""
_asking = asyncio.Lock()


class TurnTrigger(BaseTrigger):
    """Fires when `finished` mapped tasks of a run are over and the window is open; what is over stays so.

    The task of index i that waits for i + 1 - n of them never runs beside more than n - 1 others.
    """

    def __init__(self, dag_id: str, run_id: str, task_id: str, finished: int, window: str | None, zone: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.dag_id = dag_id
        self.run_id = run_id
        self.task_id = task_id
        self.finished = finished
        self.window = window
        self.zone = zone

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What makes it anew in a triggerer."""
        fields = ("dag_id", "run_id", "task_id", "finished", "window", "zone")
        return "rotoscope_batches.turn.TurnTrigger", {name: getattr(self, name) for name in fields}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait."""
        while self.finished > 0 and await self._over() < self.finished:
            await asyncio.sleep(POLL_SECONDS)
        if self.window:
            await asyncio.sleep(Window.parse(self.window, self.zone).wait(pendulum.now()))
        yield TriggerEvent({"turn": True})  # type: ignore[no-untyped-call]

    async def _over(self) -> int:
        """How many are over, as one of all that wait in this process found out a moment ago."""
        run = (self.dag_id, self.run_id, str(self.task_id))
        async with _asking:
            asked, over = _seen.get(run, (0.0, 0))
            if time.monotonic() - asked >= POLL_SECONDS:
                count = sync_to_async(RuntimeTaskInstance.get_ti_count)
                over = await count(self.dag_id, None, [run[-1]], run_ids=[self.run_id], states=FINISHED)
                _seen[run] = time.monotonic(), over
        return over
