"""A cluster of the tests' own, whose S3 server can be made to fail, and the matrix of what was tried on it."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import botocore.config
import pytest
from tools.cluster import Cluster
from tools.local import CHECKOUT

from rotoscope.store.s3 import Bucket, S3Store
from tests.chaos.proxy import Proxy
from tests.chaos.scene import Fault, PoolWatch, Scene, table

FAULTS = pytest.StashKey[list[Fault]]()
MATRIX = CHECKOUT / ".cache" / "faults.md"
SOON = {
    # What is lost is noticed after seconds and not after minutes; the code that notices is the same.
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "15",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "20",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "30",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "10",
    "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "2",
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "300",
    "ROTOSCOPE_FETCH_NETWORKS": "127.0.0.1/32",
}


class WithProxy(Cluster):
    """A cluster that reaches its bucket through a proxy."""

    proxy: Proxy

    @property
    def s3_url(self) -> str:
        self.proxy.target = ("127.0.0.1", int(super().s3_url.rpartition(":")[2]))
        return self.proxy.url


@pytest.fixture(scope="session")
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    cluster = WithProxy(tmp_path_factory.mktemp("cluster"), SOON, painters=2, painting=1)
    cluster.proxy = Proxy()
    try:
        cluster.up()
        scene = Scene(cluster, bucket_of(cluster, tmp_path_factory.mktemp("scratch")), cluster.proxy)
        request.config.stash[FAULTS] = scene.faults
        yield scene
    finally:
        cluster.down()
        cluster.forget()
        cluster.proxy.close()


def bucket_of(cluster: Cluster, scratch: Path) -> S3Store:
    """Its store, as one sees it who does not go through the proxy."""
    known = cluster.environment()
    client = boto3.client(
        "s3",
        endpoint_url=Cluster.s3_url.fget(cluster),  # type: ignore[attr-defined]
        region_name="us-east-1",
        aws_access_key_id=known["NANIO_ACCESS_KEY"],
        aws_secret_access_key=known["NANIO_SECRET_KEY"],
        config=botocore.config.Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    return S3Store(Bucket(client, "rotoscope"), scratch)


@pytest.fixture(autouse=True)
def pools(scene: Scene) -> Iterator[None]:
    """No pool has more tasks than slots, whatever happens."""
    with PoolWatch(scene.cluster) as watch:
        yield
    scene.revive()
    assert watch.over == set()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if faults := config.stash.get(FAULTS, None):
        MATRIX.write_text(table(faults))
        terminalreporter.write(MATRIX.read_text())
