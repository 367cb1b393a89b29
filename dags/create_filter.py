"""### Make a filter of one picture

One run of this DAG makes a filter that paints in the style of a picture: a painting, a photo of a texture, a drawing.

**What comes out.** The XCom `return_value` of `create` gives the filter's reference, `NAME@VERSION`, and the keys of
its document and of its preview in the store. Write the name, or the reference, into the field `filter` (or `blend`) of
the DAGs `rotoscope` and `contact_sheet`. A name alone is its newest version; a version never changes.

**Running it again** is safe at any time: the same picture under the same name is the same version.

**When it fails**, the task's log says why in one sentence, at its end.
"""

from datetime import timedelta

from airflow.sdk import DAG

from video.defaults import DEFAULT_ARGS, SOON
from video.operators import CleanUpOperator, CreateFilterOperator
from video.params import style_params

with DAG(
    dag_id="create_filter",
    dag_display_name="Create filter: from one picture",
    description="A filter that paints in the style of a picture, made in seconds.",
    doc_md=__doc__,
    schedule=None,
    params=style_params(),
    tags=["rotoscope", "filters"],
    max_active_runs=32,
    default_args=DEFAULT_ARGS,
) as dag:
    create = CreateFilterOperator(
        task_id="create",
        pool="filter",
        queue="filter",
        priority_weight=SOON,
        execution_timeout=timedelta(minutes=30),
        doc_md="""
Fetches the picture, finds its style with a network, and keeps the filter's document and a preview.

**Fails at once, without retries:** the picture or the name cannot be used; the sentence says what to change.
""",
    )
    clean_up = CleanUpOperator(
        task_id="clean_up",
        queue="filter",
        execution_timeout=timedelta(minutes=30),
        doc_md="Deletes the run's half-made files, whatever became of the run. The filter stays.",
    ).as_teardown()
    create >> clean_up
