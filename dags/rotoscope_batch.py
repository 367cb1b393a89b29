"""### Paint a batch

One run of this DAG paints many videos: all that a manifest asks for and that has no result yet. A manifest names videos
by path, prefix or pattern, and how each is painted; docs/batches.md says how it is written. Trigger it with the form,
or with the same fields as `conf` over REST; schedules start it by themselves.

**What happens.** `expand` checks the whole manifest, `bring` registers each video, `plan` decides what is to be
painted: nothing that is there already, nothing twice, nothing over a cap. Each `paint` is one run of the DAG
`rotoscope`, never more of them at once than the manifest's `at_once`; it waits without a worker's slot, and its details
link to that run. They paint in the pool `filter_batch`, behind everything that people ask for.

**What comes out.** `report` writes a table (JSON), a page and a contact sheet into the store; its XCom `report` names
them.

**Running it again** is safe at any time and does only what is missing, also after it was killed half way.

**Stopping it.** Mark the run as failed: nothing more is started. Runs of `rotoscope` that are under way go on, unless
you mark them too.

**When it fails**, something is missing that must be there: the log of `report` names the first at its end, and
the report has all with their reasons. What did not fail is painted.
"""

from datetime import timedelta

from airflow.sdk import DAG, TriggerRule

from rotoscope.batch.manifest import MOST_AT_ONCE
from rotoscope_batches.operators import (
    BringVideoOperator,
    ExpandBatchOperator,
    PaintItemOperator,
    PlanBatchOperator,
    ReportBatchOperator,
)
from video.defaults import DEFAULT_ARGS
from video.operators import CleanUpOperator
from video.params import batch_params

with DAG(
    dag_id="rotoscope_batch",
    dag_display_name="Batch: paint many videos",
    description="All that a manifest asks for and that has no result yet.",
    doc_md=__doc__,
    schedule=None,
    params=batch_params(),
    tags=["rotoscope", "batch"],
    max_active_runs=16,
    default_args={**DEFAULT_ARGS, "queue": "split", "execution_timeout": timedelta(hours=1)},
) as dag:
    expand = ExpandBatchOperator(
        task_id="expand",
        doc_md="""
Reads the manifest, lists its prefixes and patterns, and checks each filter, preset and option.

**Fails at once, without retries:** the manifest cannot be used; the sentences say what to change. Nothing was started.
""",
    )
    bring = BringVideoOperator.partial(
        task_id="bring",
        pool="split",
        execution_timeout=timedelta(hours=12),
        map_index_template="{{ task.place.rpartition('/')[2] }}",
        doc_md="""
Registers one video in the store, with its manifest. One that cannot be used does not fail the task: the report tells
of it, and the others are painted.
""",
    ).expand(place=expand.output)
    plan = PlanBatchOperator(
        task_id="plan",
        videos=bring.output,
        trigger_rule=TriggerRule.ALL_DONE,
        doc_md="Decides what is painted, in the manifest's order, within its caps, and writes it into the store.",
    )
    paint = PaintItemOperator.partial(
        task_id="paint",
        retries=2,
        max_active_tis_per_dagrun=MOST_AT_ONCE,
        execution_timeout=timedelta(minutes=10),
        map_index_template="{{ task.item['label'] }}",
        doc_md="""
Starts one run of the DAG `rotoscope` when it is its turn and the window is open, and waits for it without a worker's
slot.

**Fails at once, without retries:** that run failed; the sentence says why, and the link leads to it.
""",
    ).expand(item=plan.output)
    report = ReportBatchOperator(
        task_id="report",
        retries=1,
        trigger_rule=TriggerRule.ALL_DONE,
        doc_md="""
Reports what became of each rotoscope.

**Fails:** something is missing that must be there; the report says what, and why.
""",
    )
    clean_up = CleanUpOperator(
        task_id="clean_up",
        execution_timeout=timedelta(minutes=30),
        doc_md="Deletes the run's half-made files, whatever became of the run. Results and reports stay.",
    ).as_teardown()
    expand >> bring >> plan >> paint >> report >> clean_up
    [expand, bring, plan, paint] >> clean_up
