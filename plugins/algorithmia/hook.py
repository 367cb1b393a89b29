"""The connection to an Algorithmia endpoint, or to a server that speaks its protocol."""

from functools import cached_property
from typing import Any

from airflow.sdk import BaseHook

from rotoscope.algorithmia.client import Answer, Client, Output
from rotoscope.algorithmia.data import DataApi
from rotoscope.algorithmia.endpoint import Endpoint
from rotoscope.algorithmia.errors import AlgorithmiaError
from rotoscope.errors import RotoscopeError

DEFAULT_SECONDS = 300.0


class AlgorithmiaHook(BaseHook):
    """Calls algorithms and reads and writes files at an endpoint.

    The connection has the address as its host, such as https://api.algorithmia.com, and the key as its password; its
    extra may hold the fields of the form: timeout, concurrency, batch_frames, scratch, price_list.

    ```python
    AlgorithmiaHook().call("util/Echo", "hello").result
    ```
    """

    conn_name_attr = "algorithmia_conn_id"
    default_conn_name = "algorithmia_default"
    conn_type = "algorithmia"
    hook_name = "Algorithmia"

    def __init__(self, algorithmia_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.algorithmia_conn_id = algorithmia_conn_id

    @cached_property
    def client(self) -> Client:
        """The client, over connections that stay open."""
        connection = self.get_connection(self.algorithmia_conn_id)
        extra = connection.extra_dejson
        host = connection.host or ""
        if "://" not in host:
            host = f"{connection.schema or 'https'}://{host}" + (f":{connection.port}" if connection.port else "")
        calls = int(extra.get("concurrency") or Endpoint.calls_at_once)
        seconds = float(extra.get("timeout") or DEFAULT_SECONDS)
        return Client(host, connection.password or "", timeout=seconds, connections=calls)

    def get_conn(self) -> Client:
        """The client."""
        return self.client

    @property
    def data(self) -> DataApi:
        """The files at the endpoint."""
        return DataApi(self.client)

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint as filters use it."""
        extra = self.get_connection(self.algorithmia_conn_id).extra_dejson
        return Endpoint(
            self.client,
            scratch=extra.get("scratch") or Endpoint.scratch,
            calls_at_once=int(extra.get("concurrency") or Endpoint.calls_at_once),
            batch_frames=int(extra.get("batch_frames") or Endpoint.batch_frames),
            grace=float(extra.get("grace") or Endpoint.grace),
            price_list=extra.get("price_list") or Endpoint.price_list,
        )

    def call(self, algorithm: str, input: Any, timeout: float | None = None, output: Output | None = None) -> Answer:
        """Call an algorithm. See `rotoscope.algorithmia.client.Client.call`."""
        return self.client.call(algorithm, input, timeout=timeout, output=output)

    def test_connection(self) -> tuple[bool, str]:
        """Whether the endpoint takes the key: what the button in the connection form asks."""
        try:
            names = [entry.name for entry in self.data.list("data://")]
        except (AlgorithmiaError, RotoscopeError) as error:
            return False, str(error)
        return True, f"{self.client.address} knows this key" + (f" as {names[0]}." if names else ".")
