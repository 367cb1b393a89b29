"""How the clean-up of a run knows that no task of it writes any more.

Where a run is cancelled, Airflow calls its tasks failed and starts the clean-up at once. Their processes hear of it at
their next heartbeat, and may write until they are killed.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from airflow.configuration import conf
from airflow.sdk import Context

ENDED = "ended"
"""XCom of a task that failed and says so itself."""
KILLED_AFTER = 10
"""Seconds from the heartbeat that tells a process to end until it is dead: Airflow kills it after 5."""


@contextmanager
def telling_its_end(context: Context) -> Iterator[None]:
    """What fails in this block is the task's last word."""
    try:
        yield
    except Exception:
        context["ti"].xcom_push(ENDED, True)
        raise


def await_ends(context: Context, task_ids: list[str]) -> None:
    """Wait until each of these tasks that failed has had its last word, or must be dead."""
    ti = context["ti"]
    failed = ti.get_ti_count(ti.dag_id, task_ids=task_ids, run_ids=[ti.run_id], states=["failed"])
    if not failed:
        return
    deadline = time.monotonic() + conf.getint("workers", "min_heartbeat_interval") + KILLED_AFTER
    while failed > _ended(context, task_ids) and time.monotonic() < deadline:
        time.sleep(0.5)


def _ended(context: Context, task_ids: list[str]) -> int:
    return sum(said is True for said in context["ti"].xcom_pull(task_ids=task_ids, key=ENDED))
