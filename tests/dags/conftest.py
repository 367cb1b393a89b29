"""An Airflow of the tests' own: a fresh home, a SQLite database, the checkout's dags/ and plugins/.

The environment must be set before anything imports airflow, so this happens as pytest loads this file.
"""

import atexit
import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
HOME = Path(tempfile.mkdtemp(prefix="rotoscope-airflow-"))
STORE = HOME / "store"
atexit.register(shutil.rmtree, HOME, ignore_errors=True)

os.environ.update(
    AIRFLOW_HOME=str(HOME),
    AIRFLOW__CORE__DAGS_FOLDER=str(CHECKOUT / "dags"),
    AIRFLOW__CORE__PLUGINS_FOLDER=str(CHECKOUT / "plugins"),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{HOME / 'airflow.db'}",
    AIRFLOW_CONN_ROTOSCOPE_STORE=json.dumps({"conn_type": "fs", "extra": {"path": str(STORE)}}),
)


@pytest.fixture(scope="session")
def airflow_database() -> None:
    from airflow.utils.db import initdb

    initdb()


@pytest.fixture(scope="session")
def dag_bag(airflow_database: None):
    from airflow.dag_processing.dagbag import DagBag

    return DagBag()


@pytest.fixture
def dag(dag_bag):
    """The DAG with its own defaults: `dag.test` leaves a conf behind as those of the next run in this process."""
    from video.params import request_params

    found = dag_bag.dags["rotoscope"]
    for holder in (found, found.get_task("split")):
        for name, param in request_params().items():
            holder.params[name] = param
    return found
