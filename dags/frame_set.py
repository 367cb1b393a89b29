"""### Frames as pictures

One run of this DAG separates a video, or a part of it, into pictures, all frames or every n-th; or takes those of a set
that an earlier run made. They are painted if a filter is named.

**What comes out.** The XCom `return_value` of `frames` is the key of the set's record (by default in the folder
`store/` of the checkout), with the pictures beside it. The API puts a set together as a video again.

**Running it again** is safe at any time: a set that is whole is not made again.

**When it fails**, the task's log says why in one sentence, at its end.
"""

import json
from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG

from video.defaults import DEFAULT_ARGS
from video.operators import CleanUpOperator, FrameSetOperator
from video.params import frame_set_params

POOLS = json.loads((Path(__file__).parents[1] / "include" / "pools.json").read_text())

with DAG(
    dag_id="frame_set",
    dag_display_name="Frames as pictures",
    description="Separate a video into pictures, or paint a set of them.",
    doc_md=__doc__,
    schedule=None,
    params=frame_set_params(),
    tags=["rotoscope", "video"],
    max_active_runs=32,
    default_args=DEFAULT_ARGS,
) as dag:
    frames = FrameSetOperator(
        task_id="frames",
        slots=POOLS["filter"]["slots"],
        pool="filter",
        queue="filter",
        execution_timeout=timedelta(hours=6),
        doc_md="""
Decodes the video once, and keeps each frame that was asked for as a picture; or paints the pictures of a set.

**Fails at once, without retries:** the video or a field cannot be used; the sentence says what to change.
**Slow:** a PNG of a large frame takes more time than painting it; JPEG is faster.
""",
    )
    clean_up = CleanUpOperator(
        task_id="clean_up",
        queue="filter",
        execution_timeout=timedelta(minutes=30),
        doc_md="Deletes the run's half-made files, whatever became of the run. The pictures stay.",
    ).as_teardown()
    frames >> clean_up
