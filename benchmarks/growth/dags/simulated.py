"""Requests as the scheduler sees them: a task, mapped tasks, a task."""

from airflow.sdk import DAG, BaseOperator, Context


class Sleep(BaseOperator):
    """Its work is done by the executor."""

    def __init__(self, *, chunk: int = 0, **kwargs: object) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]
        self.chunk = chunk

    def execute(self, context: Context) -> None:
        raise NotImplementedError("only the executor of this benchmark runs it")


def request(name: str, chunks: int) -> DAG:
    """A request of so many chunks."""
    with DAG(name, schedule=None, max_active_runs=32, max_active_tasks=100_000) as dag:
        split, assemble = Sleep(task_id="split"), Sleep(task_id="assemble")
        painted = Sleep.partial(task_id="filter", pool="filter").expand(chunk=list(range(chunks)))
        split >> painted >> assemble
    return dag


flat, part, long, small = (
    request(name, chunks) for name, chunks in (("flat", 10_000), ("part", 1_000), ("long", 1_000), ("small", 4))
)
