"""Every store there is, for the tests that all of them must pass."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from rotoscope.store.base import Store
from rotoscope.store.folder import FolderStore
from rotoscope.store.s3 import Bucket, S3Store
from tests.s3 import S3Server, s3_server


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server("moto", tmp_path_factory.mktemp("moto")) as server:
        yield server


@pytest.fixture(scope="session")
def nanio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server("nanio", tmp_path_factory.mktemp("nanio")) as server:
        yield server


def bucket(server: S3Server, **options: str) -> Bucket:
    """A fresh bucket, with a prefix."""
    name = f"bucket-{uuid.uuid4().hex[:8]}"
    server.client().create_bucket(Bucket=name)
    return Bucket(server.client(), name, "some/prefix", options)


@pytest.fixture(params=["folder", "moto", "nanio"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return FolderStore(tmp_path / "store")
    return S3Store(bucket(request.getfixturevalue(request.param)), tmp_path / "scratch")


@pytest.fixture(params=["moto", "nanio"])
def s3_store(request: pytest.FixtureRequest, tmp_path: Path) -> S3Store:
    return S3Store(bucket(request.getfixturevalue(request.param)), tmp_path / "scratch")
