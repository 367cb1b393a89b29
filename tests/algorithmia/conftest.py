"""One bundled server for all tests of the protocol."""

from collections.abc import Iterator

import pytest

from rotoscope.algorithmia.client import Client
from rotoscope.algorithmia.data import DataApi
from tests.serving import KEY, Server, algorithmia_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    shared = tmp_path_factory.mktemp("connected")
    with algorithmia_server(
        tmp_path_factory.mktemp("server"), "--connect", f"file={shared}", "--map", "space_pizza=lava-glow"
    ) as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    one = Client(server.url, KEY)
    yield one
    one.close()


@pytest.fixture
def data(client: Client) -> DataApi:
    return DataApi(client)
