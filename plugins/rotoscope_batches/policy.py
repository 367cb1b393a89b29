"""Cluster policy: what batches start waits behind what people ask for, and never takes their slots.

Airflow finds it by the entry point `airflow.policy`, in every process, so it imports next to nothing.
"""

from typing import Any

from airflow.policies import hookimpl

from rotoscope.batch.ids import is_of_batch

POOL = "filter_batch"
"""The slots in which batches paint; those of the pool `filter` stay free for people."""
WEIGHT = 0
"""Below that of any task of a DAG, of which even the last one has 1."""


@hookimpl
def task_instance_mutation_hook(task_instance: Any) -> None:
    """Let the tasks of a rotoscope that a batch started wait behind all others, and paint in a pool of their own."""
    if task_instance.dag_id != "rotoscope" or not is_of_batch(task_instance.run_id or ""):
        return
    task_instance.priority_weight = WEIGHT
    if task_instance.task_id == "filter":
        task_instance.pool = POOL
