"""### Register a video

One run of this DAG brings a video into the store, probes it and keeps its manifest, to be painted later, and often.

**What comes out.** The XCom `return_value` of `register` is `video://SHA256`. Write it into the field `source` of
the DAGs `rotoscope` and `contact_sheet`. The API starts this DAG for each video that it is given.

**Running it again** is safe at any time: the same bytes are the same video.

**When it fails**, the task's log says why in one sentence, at its end.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param

from video.defaults import DEFAULT_ARGS
from video.operators import CleanUpOperator, RegisterVideoOperator

with DAG(
    dag_id="register_video",
    dag_display_name="Register a video",
    description="A video from a path or a URL, verified and probed, in the store.",
    doc_md=__doc__,
    schedule=None,
    params={
        "source": Param(
            "",
            type="string",
            minLength=1,
            title="Video",
            description="Path of the file, as the machine that runs the tasks sees it, or its URL (http, s3, data).",
        )
    },
    tags=["rotoscope", "video"],
    max_active_runs=32,
    default_args=DEFAULT_ARGS,
) as dag:
    register = RegisterVideoOperator(
        task_id="register",
        pool="split",
        queue="split",
        execution_timeout=timedelta(hours=12),
        doc_md="""
Fetches or copies the video, hashes and probes it, and keeps it with its manifest.

**Fails at once, without retries:** the video cannot be used; the sentence says what to change.
**Slow:** the video is large or far away; it is read whole.
""",
    )
    clean_up = CleanUpOperator(
        task_id="clean_up",
        queue="split",
        execution_timeout=timedelta(minutes=30),
        doc_md="Deletes the run's half-made files, whatever became of the run. The video stays.",
    ).as_teardown()
    register >> clean_up
