"""The Airflow plugin that imports early what DAG files and tasks import.

Airflow forks a process for every DAG file that it reads, each of them twice a minute, and one for every task. Each fork
has what its parent had imported; without this it would import boto3, OpenCV and the domain anew, most of a second of a
core each time. A Celery worker is told by its configuration (`celery.py`).
"""

from importlib import import_module
from typing import Any

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

OF_DAG_FILES = (
    "algorithmia.operators",
    "rotoscope_batches.arrivals",
    "rotoscope_batches.late",
    "rotoscope_batches.operators",
    "video.housekeeping",
    "video.operators",
    "video.params",
    "video.training",
)
"""What the files in dags/ import, beside Airflow and what these import themselves."""


class Preload:
    """Listens for the start of a process."""

    @hookimpl
    def on_starting(self, component: Any) -> None:
        """Import `OF_DAG_FILES`, unless the process is that of one task, which imports what it needs."""
        from airflow.sdk.execution_time.task_runner import TaskRunnerMarker

        if not isinstance(component, TaskRunnerMarker):
            for module in OF_DAG_FILES:
                import_module(module)


class PreloadPlugin(AirflowPlugin):
    """What Airflow loads."""

    name = "rotoscope_preload"
    listeners = [Preload()]  # noqa: RUF012 - Airflow's way
