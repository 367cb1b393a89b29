"""What all tasks of our DAGs have in common."""

from datetime import timedelta
from typing import Any

from airflow.sdk import Context

from object_store.connection import DEFAULT_CONNECTION, store_from
from rotoscope.store import failures

UNFINISHED = ["queued", "running"]
"""States of a run that is not over."""
SOON = 10
"""Priority of what takes seconds: above all tasks of rotoscopes, whose chunks may paint for hours."""
WITHOUT_A_WORD = "Its process was killed, by the system for want of memory or by somebody."


def keep_reason(context: Context) -> None:
    """Keep why a task failed for good, where whoever asks for the run's failure finds it."""
    ti, error = context["ti"], context.get("exception")
    reason = str(error) if error else WITHOUT_A_WORD
    failures.keep(store_from(DEFAULT_CONNECTION), ti.dag_id, ti.run_id, ti.task_id, ti.map_index, reason)


DEFAULT_ARGS: dict[str, Any] = {
    "owner": "rotoscope",
    "retries": 3,
    "retry_delay": timedelta(seconds=5),
    "retry_exponential_backoff": 2.0,
    "on_failure_callback": keep_reason,
}
