"""A DAG for each schedule: those of include/schedules, and those of the store, which the API makes.

A schedule is data, and is changed without a deploy: this file is read again and again.
"""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Asset, AssetWatcher
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference
from airflow.sdk.definitions.timetables.trigger import CronTriggerTimetable, DeltaTriggerTimetable
from airflow.sdk.exceptions import AirflowNotFoundException

from object_store.connection import store_from
from rotoscope.batch.schedule import TAG, Schedule, schedules
from rotoscope.store.base import Store
from rotoscope_batches.arrivals import InboxTrigger
from rotoscope_batches.late import say_late
from rotoscope_batches.operators import StartBatchOperator
from video.defaults import DEFAULT_ARGS

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
DOC = """### {title}

This DAG is made of the schedule `{name}`. Change it there (include/schedules, or `/schedules` of the API), not here.
Each run starts one run of the DAG `rotoscope_batch`, with the time of this one as the manifest's date, and ends as it
does. Where the schedule has a `deadline` and a run is not over by then, Airflow counts it as missed, and goes on.

**For times that are past**, press *Trigger* and choose *Backfill*; their dates go into the manifest.
"""


def store() -> Store | None:
    """The store, None as long as its connection is not there yet."""
    try:
        return store_from()
    except AirflowNotFoundException as error:
        logging.getLogger(__name__).warning("Schedules of the store are not read: %s", error)
        return None


def timetable(schedule: Schedule) -> Any:
    """When a schedule runs, in Airflow's terms."""
    if not schedule.enabled:
        return None
    if schedule.inbox is not None:
        watcher = AssetWatcher(schedule.name, InboxTrigger(schedule.name, schedule.inbox))
        return [Asset(f"inbox_{schedule.name}", watchers=[watcher])]
    if schedule.cron is not None:
        return CronTriggerTimetable(schedule.cron, timezone=schedule.zone)
    return DeltaTriggerTimetable(timedelta(seconds=schedule.every or 0))


def deadline(schedule: Schedule) -> DeadlineAlert | None:
    """By when a run must be over, counted from when it was queued."""
    if schedule.deadline is None:
        return None
    within = timedelta(seconds=schedule.deadline)
    return DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, within, AsyncCallback(say_late))


for schedule in schedules(store()).values():
    with DAG(
        dag_id=schedule.dag_id,
        dag_display_name=f"Schedule: {schedule.title or schedule.name}",
        description=f"Starts a batch {schedule.when}.",
        doc_md=DOC.format(title=schedule.title or schedule.name, name=schedule.name, dag_id=schedule.dag_id),
        schedule=timetable(schedule),
        start_date=schedule.start or BEGINNING,
        catchup=schedule.catch_up,
        max_active_runs=4,
        deadline=deadline(schedule),
        tags=["rotoscope", TAG],
        default_args={**DEFAULT_ARGS, "queue": "split"},
    ) as dag:
        StartBatchOperator(
            task_id="start",
            schedule=schedule.model_dump(mode="json"),
            doc_md="Starts the batch and waits for it. **Fails** when the batch does; the link leads to it.",
        )
    globals()[schedule.dag_id] = dag
