"""### Housekeeping

Deletes what the store need not keep any more: half-made files of runs that were cancelled or killed, uploads that
nobody completed, states of trainings, old painted chunks and records; and, if you say for how many days they are kept,
results, videos, sheets, frames and reports of batches.

**Look first.** Without `delete` nothing is deleted: the log and the report in the store (the task's XCom names it) say
what would go. Then trigger it again with `delete`.

**What stays.** Nothing goes that a request needs that is not over, or that the report of a batch names. A result that
is asked for again after it went is painted again; so are chunks, for another format of a result that stays.

**By itself.** Where the variable `ROTOSCOPE_HOUSEKEEPING` is set for the scheduler and the DAG processor, to a cron
expression such as `0 4 * * *`, it runs at that time and deletes by the defaults of its form.

**When it fails**, trigger it again: what is gone is gone whole, and what is not is found again.
"""

import os
from datetime import timedelta

from airflow.sdk import DAG

from video.defaults import DEFAULT_ARGS
from video.housekeeping import HousekeepingOperator
from video.params import housekeeping_params

with DAG(
    dag_id="housekeeping",
    dag_display_name="Housekeeping: what need not be kept",
    description="Reports or deletes what the store need not keep any more.",
    doc_md=__doc__,
    schedule=os.environ.get("ROTOSCOPE_HOUSEKEEPING") or None,
    params=housekeeping_params(),
    tags=["rotoscope", "housekeeping"],
    max_active_runs=1,
    default_args={**DEFAULT_ARGS, "queue": "split", "execution_timeout": timedelta(hours=6)},
) as dag:
    HousekeepingOperator(
        task_id="keep_house",
        doc_md="""
Looks through the store kind by kind, and deletes if it is told to.

**Fails:** the store cannot be reached or does not let things be deleted; the error says which.
""",
    )
