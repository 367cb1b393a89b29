"""Operators of a batch: check all of it, start what has no result, wait without a worker, report."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pendulum
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.providers.standard.triggers.external_task import DagStateTrigger
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from object_store.connection import DEFAULT_CONNECTION, store_from
from object_store.hook import ObjectStoreHook
from rotoscope.access import plans
from rotoscope.batch import ids
from rotoscope.batch.plan import PLAN, WANTED, BatchPlan
from rotoscope.batch.request import BatchRequest
from rotoscope.batch.schedule import Schedule
from rotoscope.errors import Refused
from rotoscope.steps import batch
from rotoscope.store import keys
from rotoscope.store.base import Store
from rotoscope.store.failures import reason_of
from rotoscope.store.filters import finder
from rotoscope_batches.turn import FINISHED, TurnTrigger
from video.defaults import UNFINISHED
from video.operators import StepOperator

POLL_SECONDS = 3
BATCH = "rotoscope_batch"
"""The DAG of batches."""


class ExpandBatchOperator(StepOperator):
    """Check the manifest of the run's params. Returns the place of each video, to be mapped over."""

    def step(self, store: Store, context: Context) -> list[str]:
        store.delete(keys.batch(context["run_id"], WANTED))  # of a try before this one: it must not count any more
        request = BatchRequest.parse(dict(context["params"]))
        manifest = batch.read_manifest(store, request.batch or "", request.manifest, request.when(time_of(context)))
        listed = ObjectStoreHook(self.aws_conn_id, self.algorithmia_conn_id).listed
        return batch.expand_batch(store, manifest, context["run_id"], listed, finder(store))


class BringVideoOperator(StepOperator):
    """Register one video of a batch. Returns its SHA-256, or why it cannot be used: that is for the report.

    What may pass is tried again, and at last it leaves the video out and not the whole batch.
    """

    template_fields: Sequence[str] = ("place",)

    def __init__(self, *, place: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.place = place

    def step(self, store: Store, context: Context) -> dict[str, str]:
        ti = context["ti"]
        final = Exception if ti.try_number > ti.max_tries else Refused
        return batch.bring_video(store, self.place, context["run_id"], self.fetch(), final)


class PlanBatchOperator(StepOperator):
    """Decide what is painted. Returns a reference for each rotoscope that is to be started, to be mapped over."""

    template_fields: Sequence[str] = ("videos",)

    def __init__(self, *, videos: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.videos = videos

    def step(self, store: Store, context: Context) -> list[dict[str, Any]]:
        request = BatchRequest.parse(dict(context["params"]))
        access = plans.get(request.plan)
        brought = list(self.videos or [])
        if not store.exists(keys.batch(context["run_id"], WANTED)):
            raise AirflowSkipException("Nothing is asked for, since expand failed.")
        plan = batch.plan_batch(store, brought, context["run_id"], access, finder(store), self.fetch())
        return [{"index": place, "label": item.label} for place, item in enumerate(plan.to_paint)]


class StartOperator(TriggerDagRunOperator):
    """Start a run of another DAG, or run it again if it is over, and wait for it without a worker's slot.

    One that is under way, since this task was tried before or its batch was started again, is joined. Fails at once if
    the run fails, with its reason.
    """

    def __init__(self, *, store_connection: str = DEFAULT_CONNECTION, **kwargs: Any) -> None:
        super().__init__(
            logical_date=None,
            reset_dag_run=True,
            wait_for_completion=True,
            deferrable=True,
            poke_interval=POLL_SECONDS,
            **kwargs,
        )
        self.store_connection = store_connection

    def start(self, run_id: str, conf: dict[str, Any], context: Context) -> None:
        """Start the run of this id, or join it."""
        self.trigger_run_id, self.conf = run_id, conf
        if context["ti"].get_dr_count(self.trigger_dag_id, run_ids=[run_id], states=UNFINISHED):
            self.log.info("%s is under way already", run_id)
            states = [*self.allowed_states, *self.failed_states]
            trigger = DagStateTrigger(self.trigger_dag_id, states, run_ids=[run_id], poll_interval=POLL_SECONDS)
            self.defer(trigger=trigger, method_name="execute_complete")
        super().execute(context)

    def execute_complete(self, context: Context, event: Any) -> None:
        try:
            super().execute_complete(context, event)
        except AirflowException:
            run_id = str(self.trigger_run_id)
            reason = reason_of(store_from(self.store_connection), self.trigger_dag_id, run_id)
            raise AirflowFailException(reason or f"The run {run_id} failed; its tasks' logs say why.") from None


class PaintItemOperator(StartOperator):
    """Start one rotoscope of a batch when it is its turn."""

    template_fields: Sequence[str] = ("item",)

    def __init__(self, *, item: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(trigger_dag_id=batch.ROTOSCOPE, **kwargs)
        self.item = item

    def execute(self, context: Context) -> None:
        request = BatchRequest.parse(dict(context["params"]))
        before, window = self.item["index"] + 1 - self._plan(context).at_once, request.window_of()
        if before > _over(context) or (window and window.wait(pendulum.now()) > 0):
            ti = context["ti"]
            turn = TurnTrigger(ti.dag_id, ti.run_id, ti.task_id, before, request.window, request.zone)
            self.defer(trigger=turn, method_name="execute_turn")
        self.execute_turn(context)

    def execute_turn(self, context: Context, event: Any = None) -> None:
        """It is its turn."""
        item = self._plan(context).to_paint[self.item["index"]]
        assert item.priced is not None
        self.note = f"{item.label}, of the batch run {context['run_id']}"
        self.start(item.run, item.priced.conf, context)

    def _plan(self, context: Context) -> BatchPlan:
        store = store_from(self.store_connection)
        return BatchPlan.model_validate(store.get_json(keys.batch(context["run_id"], PLAN)))


class ReportBatchOperator(StepOperator):
    """Report what became of a batch. Fails if anything is missing that must be there. Returns the report's keys."""

    def step(self, store: Store, context: Context) -> dict[str, str]:
        run_id = context["run_id"]
        if not store.exists(keys.batch(run_id, PLAN)):
            reason = reason_of(store, BATCH, run_id) or "The tasks before this one say why."
            raise AirflowFailException(f"Nothing was started. {reason}")
        report = batch.report_batch(store, run_id)
        made = batch.report_keys(store, run_id)
        self.log.info("%d done, %d skipped, %d failed: %s", report.done, report.skipped, report.failed, made["page"])
        context["ti"].xcom_push("counts", report.model_dump(include={"done", "skipped", "failed", "frames", "cost"}))
        context["ti"].xcom_push("report", made)
        if report.missing:
            first, many = report.missing[0], f"{len(report.missing)} of {len(report.rows)}"
            raise AirflowFailException(
                f"{many} that must be painted are not. {first.label}: {first.reason} "
                f"The report has all: {store.address(made['page'])}"
            )
        return made


class StartBatchOperator(StartOperator):
    """Start the batch of a schedule.

    Its id follows from the schedule and the time, so that a backfill, or a task that is tried again, starts none twice.
    """

    def __init__(self, *, schedule: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(trigger_dag_id=BATCH, **kwargs)
        self.schedule = schedule

    def execute(self, context: Context) -> None:
        schedule = Schedule.of(self.schedule)
        when = time_of(context).astimezone(pendulum.timezone(schedule.zone))
        run_id = ids.of_schedule(schedule.name, f"{when:%Y%m%dT%H%M%S.%f}")
        self.start(run_id, schedule.conf(_arrived(context), when.isoformat()), context)


def _arrived(context: Context) -> list[str]:
    """The videos that the events of an inbox brought, each once; none where a person started it."""
    events = [event for those in (context.get("triggering_asset_events") or {}).values() for event in those]
    return sorted({place for event in events for place in event.extra.get("payload", {}).get("videos", [])})


def _over(context: Context) -> int:
    """How many rotoscopes of the batch are over, however they ended."""
    ti = context["ti"]
    return int(ti.get_ti_count(ti.dag_id, task_ids=[ti.task_id], run_ids=[ti.run_id], states=FINISHED))


def time_of(context: Context) -> datetime:
    """The time that a run is for: its logical date, or when it was asked for."""
    run = context["dag_run"]
    return run.logical_date or run.run_after
