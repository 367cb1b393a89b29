"""### Train a filter on paintings

One run of this DAG trains a small network that paints in the style of some paintings, and puts it into the catalogue:
**prepare** what it learns from, **train**, **evaluate**, **publish**. It needs PyTorch (`make setup-train`) on the
machine that runs it, and uses a GPU where there is one. 2,000 steps take some ten minutes on two cores.

**What can be seen meanwhile.** The log gives the losses. The store has, below `trainings/`, a picture of samples and
curves at every twentieth part of the way (`samples/`), and afterwards `evaluation.json` and `sheet.jpg`.

**What comes out.** The XCom `return_value` of `publish` gives the filter's reference, `NAME@VERSION`. Write the name
into the field `filter` of the DAGs `rotoscope` and `contact_sheet`. A version never changes.

**Running it again** goes on where it stopped: clear the failed task, or trigger again with the same fields.

**When it fails**, the task's log says why in one sentence, at its end.
"""

from datetime import timedelta

from airflow.sdk import DAG

from video.defaults import DEFAULT_ARGS
from video.operators import CleanUpOperator
from video.params import train_params
from video.training import EvaluateOperator, PrepareTrainingOperator, PublishOperator, TrainOperator

with DAG(
    dag_id="train_filter",
    dag_display_name="Train filter: from paintings",
    description="A small, fast network that paints in the style of some paintings.",
    doc_md=__doc__,
    schedule=None,
    params=train_params(),
    tags=["rotoscope", "filters"],
    max_active_runs=32,
    default_args={**DEFAULT_ARGS, "queue": "filter", "pool": "train"},
) as dag:
    prepare = PrepareTrainingOperator(
        task_id="prepare",
        execution_timeout=timedelta(hours=1),
        doc_md="""
Gathers paintings and photos, made small, in the store.

**Fails at once, without retries:** a picture, the name or the weights of VGG16 cannot be used; the sentence says what
to change.
""",
    )
    train = TrainOperator(
        task_id="train",
        training=prepare.output,
        execution_timeout=timedelta(days=2),
        doc_md="""
Trains from the last state in the store, so a retry loses a twentieth part of the way at most.

**Slow:** fewer steps, a smaller crop or fewer channels help; so does a GPU.
""",
    )
    evaluate = EvaluateOperator(
        task_id="evaluate",
        training=prepare.output,
        execution_timeout=timedelta(hours=1),
        doc_md="Measures content, style, steadiness and speed, and paints a contact sheet of the photos.",
    )
    publish = PublishOperator(
        task_id="publish",
        training=prepare.output,
        execution_timeout=timedelta(hours=1),
        doc_md="""
Puts the network and its document into the catalogue.

**Fails:** the ONNX file does not paint what was trained, or the name is built in.
""",
    )
    clean_up = CleanUpOperator(
        task_id="clean_up",
        pool="default_pool",
        execution_timeout=timedelta(minutes=30),
        doc_md="Deletes the run's half-made files, whatever became of the run. The training and the filter stay.",
    ).as_teardown()
    prepare >> train >> evaluate >> publish
    [prepare, train, evaluate, publish] >> clean_up
