"""An Airflow of a benchmark's own."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.local import LocalAirflow

from rotoscope.store.folder import FolderStore


@contextmanager
def running(folder: Path) -> Iterator[tuple[LocalAirflow, FolderStore]]:
    """An Airflow as `make up` starts one, and its store, for the length of a `with` block. folder: for both."""
    place = {"conn_type": "fs", "extra": {"path": str(folder / "store")}}
    airflow = LocalAirflow(folder / "airflow", {"AIRFLOW_CONN_ROTOSCOPE_STORE": json.dumps(place)})
    try:
        airflow.up()
        yield airflow, FolderStore(folder / "store")
    finally:
        airflow.down()
