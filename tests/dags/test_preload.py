"""What a DAG file imports is there before Airflow forks the process that reads it."""

import subprocess
import sys

import pytest

from tests.dags.conftest import CHECKOUT

pytestmark = pytest.mark.xdist_group("dags")

STARTED = "from airflow.jobs.job import Job; Job()"
"""What a scheduler and a DAG processor begin with."""
IN_A_TASK = """
from airflow.listeners.listener import get_listener_manager
from airflow.sdk.execution_time.task_runner import TaskRunnerMarker
get_listener_manager().hook.on_starting(component=TaskRunnerMarker())
"""
READ_DAG_FILES = """
import runpy, sys
from pathlib import Path
before = set(sys.modules)
for file in sorted(Path(sys.argv[1]).glob("*.py")):
    runpy.run_path(str(file))
print("\\nimported", *(name for name in set(sys.modules) - before if name.partition(".")[0] != "airflow"))
"""


def imported(begun: str) -> set[str]:
    """What reading all DAG files imports in a process that began with `begun`, beside Airflow."""
    done = subprocess.run(
        [sys.executable, "-c", begun + "\n" + READ_DAG_FILES, str(CHECKOUT / "dags")],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.rpartition("imported")[2].split())


def test_dag_files_import_nothing_anew(airflow_database: None) -> None:
    assert imported(STARTED) == set()


def test_a_task_imports_only_its_own(airflow_database: None) -> None:
    assert {"cv2", "boto3", "rotoscope.request"} <= imported(IN_A_TASK)
