"""The operator of housekeeping."""

from datetime import UTC, datetime

from airflow.sdk import Context

from rotoscope.housekeeping.request import HousekeepingRequest
from rotoscope.steps.housekeeping import keep_house
from rotoscope.store import keys
from rotoscope.store.base import Store
from video.defaults import UNFINISHED
from video.operators import StepOperator


class HousekeepingOperator(StepOperator):
    """Report, or delete, what the store need not keep any more. Returns where the report is and what it comes to.

    A run that somebody triggers deletes if its params say so, a scheduled one does.
    """

    def step(self, store: Store, context: Context) -> dict[str, str | int]:
        scheduled = context["dag_run"].run_type == "scheduled"
        params = dict(context["params"])
        request = HousekeepingRequest.parse({**params, "delete": params["delete"] or scheduled})
        ti = context["ti"]

        def living(dag: str, run: str) -> bool:
            return ti.get_dr_count(dag, run_ids=[run], states=UNFINISHED) > 0

        report = keep_house(request, store, context["run_id"], datetime.now(UTC), living, self.connect)
        for line in report.lines():
            self.log.info("%s", line)
        return {"report": keys.housekeeping(context["run_id"]), "bytes": report.bytes}
