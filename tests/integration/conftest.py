"""A running Airflow of the tests' own, started the way `make up` starts one."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tools.local import LocalAirflow

from rotoscope.store.folder import FolderStore


@pytest.fixture(scope="session")
def airflow_store(tmp_path_factory: pytest.TempPathFactory) -> FolderStore:
    return FolderStore(tmp_path_factory.mktemp("airflow") / "store")


@pytest.fixture(scope="session")
def airflow(tmp_path_factory: pytest.TempPathFactory, airflow_store: FolderStore) -> Iterator[LocalAirflow]:
    connection = json.dumps({"conn_type": "fs", "extra": {"path": str(airflow_store.root)}})
    settings = {"AIRFLOW_CONN_ROTOSCOPE_STORE": connection, "ROTOSCOPE_FETCH_NETWORKS": "127.0.0.1/32"}
    local = LocalAirflow(tmp_path_factory.mktemp("home"), settings)
    try:
        local.up()
        yield local
    finally:
        local.down()


@pytest.fixture(scope="session")
def demo_clip() -> Path:
    from tools.demo import clip

    return clip()
