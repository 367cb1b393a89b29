"""### Paint a video

One run of this DAG is one rotoscope request: **split** the video into chunks, **filter** each chunk, **assemble** the
painted chunks with the source's sound. Trigger it with the form, or with the same fields as `conf` over REST.

**Where the result is.** The XCom `return_value` of `assemble` names the painted video, a poster, a before/after
picture, a manifest, a quality report and a provenance record, as keys of the store (by default the folder `store/` of
the checkout).

**Running it again** is safe at any time: painted chunks and finished results are found in the store and used.

**When it fails**, the failed task's log says why in one sentence, at its end. Each task's documentation says what
to do about it.
"""

import json
from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG, XComArg

from algorithmia.operators import AlgorithmiaFilterOperator
from video.defaults import DEFAULT_ARGS
from video.operators import AssembleOperator, CleanUpOperator, SplitOperator
from video.params import request_params

POOLS = json.loads((Path(__file__).parents[1] / "include" / "pools.json").read_text())
FILTER_SLOTS = POOLS["filter"]["slots"]

with DAG(
    dag_id="rotoscope",
    dag_display_name="Rotoscope: paint a video",
    description="Lay a machine-learned texture over every frame of a video; sound and timing stay.",
    doc_md=__doc__,
    schedule=None,
    params=request_params(),
    tags=["rotoscope", "video"],
    max_active_runs=32,
    default_args={**DEFAULT_ARGS, "max_retry_delay": timedelta(minutes=5)},
) as dag:
    split = SplitOperator(
        task_id="split",
        slots=FILTER_SLOTS,
        pool="split",
        queue="split",
        execution_timeout=timedelta(hours=12),
        doc_md="""
Fetches or copies the source, probes it, plans the chunks and cuts the source into segments by stream copy. A source
that cannot be cut so is decoded and stored without loss first; the manifest says why.

**Fails at once, without retries:** the source or a field cannot be used; the sentence says what to change.
**Slow:** the source is large or far away; it is read whole, copied and hashed.
""",
    )
    painted = AlgorithmiaFilterOperator.partial(
        task_id="filter",
        slots=FILTER_SLOTS,
        pool="filter",
        queue="filter",
        execution_timeout=timedelta(hours=6),
        map_index_template="{{ task.chunk['label'] }}",
        doc_md="""
Paints one chunk. A chunk that is already painted, by this run or another, is checked and used as it is.

**Fails at once, without retries:** the source is damaged there; the sentence says where and what to do.
**Fails after retries:** look at one mapped task's log.
**One chunk again:** clear that mapped task with its downstream tasks. The others are left alone.
**Slow:** the log gives frames a second. Fewer pixels (`size`), more slots and cores, or more machines help.
""",
    ).expand(chunk=split.output)
    assemble = AssembleOperator(
        task_id="assemble",
        plan=XComArg(split, key="plan"),
        pool="assemble",
        queue="assemble",
        execution_timeout=timedelta(hours=12),
        doc_md="""
Joins the painted chunks by copy with the source's sound, subtitles and chapters, and verifies count and timestamps of
all frames and each stream before anything is published. GIF, WebP and PNG are encoded here.

**Fails with a mismatch:** a frame is missing or moved; nothing was published, and a painted chunk that was to blame is
no longer in the store. Clear `filter` with its downstream tasks.
**Waits:** the pool `assemble` has one slot, so that two requests never share the high-memory machine.
""",
    )
    clean_up = CleanUpOperator(
        task_id="clean_up",
        queue="assemble",
        execution_timeout=timedelta(minutes=30),
        doc_md="Deletes the run's segments and half-made files, whatever became of the run. Results stay.",
    ).as_teardown()
    split >> painted >> assemble
    # Of all three: when one chunk fails for good, others may still be painting, and need their segments.
    [split, painted, assemble] >> clean_up
