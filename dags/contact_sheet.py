"""### Show a video under many filters

One run of this DAG paints some frames of a video, by default the first, the middle and the last, under all filters, to
choose one by eye.

**Where the result is.** The XCom `return_value` of `sheet` names a page (`index.html`, beside its pictures at full
size) and one labelled picture, as keys of the store (by default the folder `store/` of the checkout).

**Running it again** is safe at any time: a sheet that is there is not painted again.

**When it fails**, the task's log says why in one sentence, at its end.
"""

import json
from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG

from video.defaults import DEFAULT_ARGS, SOON
from video.operators import CleanUpOperator, ContactSheetOperator
from video.params import sheet_params

POOLS = json.loads((Path(__file__).parents[1] / "include" / "pools.json").read_text())

with DAG(
    dag_id="contact_sheet",
    dag_display_name="Contact sheet: a video under all filters",
    description="Some frames of a video under many filters, as a page and as one labelled picture.",
    doc_md=__doc__,
    schedule=None,
    params=sheet_params(),
    tags=["rotoscope", "filters"],
    max_active_runs=32,
    default_args=DEFAULT_ARGS,
) as dag:
    sheet = ContactSheetOperator(
        task_id="sheet",
        slots=POOLS["filter"]["slots"],
        pool="filter",
        queue="filter",
        priority_weight=SOON,
        execution_timeout=timedelta(hours=1),
        doc_md="""
Fetches or copies the source, picks the frames, and paints them with one filter after the other.

**Fails at once, without retries:** the source or a field cannot be used; the sentence says what to change.
**Slow:** a long source is read whole; its path on a disk of this machine is faster than a URL.
""",
    )
    clean_up = CleanUpOperator(
        task_id="clean_up",
        queue="filter",
        execution_timeout=timedelta(minutes=30),
        doc_md="Deletes the run's half-made files, whatever became of the run. The sheet stays.",
    ).as_teardown()
    sheet >> clean_up
