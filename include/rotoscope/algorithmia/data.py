"""The data API: files and directories at an endpoint, its own (`data://`) and those of its connectors (`s3+alias://`)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import requests
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from rotoscope.algorithmia.client import Client, read_json
from rotoscope.algorithmia.errors import AlgorithmiaError, BadInput, ConnectionLost, NotFound
from rotoscope.errors import Refused

BLOCK = 2**20
TRIES = 5
WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 30.0

Access = Literal["private", "my_algorithms", "public"]
ACCESS: dict[Access, list[str]] = {"private": [], "my_algorithms": ["algo://.my/*"], "public": ["user://*"]}
"""Who may read, as the protocol writes it."""


@dataclass(frozen=True)
class Entry:
    """A file or a directory in a listing. size_bytes: of a file."""

    name: str
    is_directory: bool
    size_bytes: int | None = None


class DataApi:
    """Files at an endpoint, by URI: `data://USER/COLLECTION/FILE`, where `.my` is the caller, or of a connector.

    All of it can be repeated without harm, so it is: what fails now or for a while is asked again a few times.
    Every method raises a kind of AlgorithmiaError for what the endpoint will not do.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def read(self, uri: str) -> bytes:
        """The bytes of a file, whole. Raises NotFound if there is none."""
        return self._request("GET", uri).content

    def download(self, uri: str, target: Path) -> None:
        """Read a file of any size into a file here. Raises NotFound if there is none."""
        with self._request("GET", uri, stream=True) as answer, target.open("wb") as file:
            if answer.headers.get("X-Data-Type") == "directory":
                raise NotFound(f"{uri} is a directory, not a file.")
            try:
                for block in answer.iter_content(BLOCK):
                    file.write(block)
            except requests.RequestException:
                raise ConnectionLost("The endpoint broke off in the middle of a file.") from None

    def write(self, uri: str, content: bytes) -> None:
        """Write a file, over what is there."""
        self._request("PUT", uri, data=content, headers={"Content-Type": "application/octet-stream"})

    def exists(self, uri: str) -> bool:
        """Whether there is a file or a directory."""
        try:
            self._request("HEAD", uri)
        except NotFound:
            return False
        return True

    def delete(self, uri: str) -> None:
        """Delete a file; none there is as good."""
        self._forget(uri, {})

    def delete_directory(self, uri: str) -> None:
        """Delete a directory with everything in it; none there is as good."""
        self._forget(uri, {"force": "true"})

    def make_directory(self, uri: str, access: Access = "private") -> None:
        """Make a directory, unless there is one."""
        if self.exists(uri):
            return
        scheme, _, path = uri.partition("://")
        parent, _, name = path.rstrip("/").rpartition("/")
        try:
            self._request("POST", f"{scheme}://{parent}", json={"name": name, "acl": {"read": ACCESS[access]}})
        except BadInput:
            if not self.exists(uri):  # somebody else's, or our own whose answer was lost, is as good
                raise

    def access(self, uri: str) -> list[str]:
        """Who may read a directory, as the protocol writes it."""
        said = read_json(self._request("GET", uri, params={"acl": "true"}))
        return [str(one) for one in said.get("acl", {}).get("read", [])]

    def set_access(self, uri: str, access: Access) -> None:
        """Say who may read a directory."""
        self._request("PATCH", uri, json={"acl": {"read": ACCESS[access]}})

    def list(self, uri: str) -> Iterator[Entry]:
        """Everything in a directory, directories first on each page. Raises NotFound if there is no such directory."""
        marker: str | None = None
        while True:
            said = read_json(self._request("GET", uri, params={"marker": marker} if marker else {}))
            yield from (Entry(folder["name"], True) for folder in said.get("folders", []))
            yield from (Entry(file["filename"], False, file.get("size")) for file in said.get("files", []))
            marker = said.get("marker")
            if not marker:
                return

    def _forget(self, uri: str, query: dict[str, str]) -> None:
        try:
            self._request("DELETE", uri, params=query)
        except NotFound:
            return

    def _request(self, method: str, uri: str, **options: Any) -> requests.Response:
        retrying = Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, AlgorithmiaError) and error.when != "never"),
            stop=stop_after_attempt(TRIES),
            wait=_wait,
            reraise=True,
        )
        return retrying(self._checked, method, path_of(uri), **options)

    def _checked(self, method: str, path: str, **options: Any) -> requests.Response:
        answer = self._client.request(method, path, **options)
        is_json = "json" in answer.headers.get("Content-Type", "") and answer.headers.get("X-Data-Type") != "file"
        if is_json and answer.content:
            read_json(answer)  # which may be an error with a status that says all is well
        return answer


def path_of(uri: str) -> str:
    """The path of a data URI under an endpoint's address. Raises Refused for what is no such URI."""
    scheme, separator, path = uri.partition("://")
    if not separator or not scheme or ".." in path.split("/"):
        raise Refused(f"{uri!r} is no data URI; write data://USER/COLLECTION/FILE or s3+alias://BUCKET/KEY.")
    place = "data" if scheme == "data" else f"connector/{quote(scheme, safe='+')}"
    return f"/v1/{place}/{quote(path)}"


def _wait(state: RetryCallState) -> float:
    """As long as the endpoint asks for, otherwise twice as long each time."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait if isinstance(error, AlgorithmiaError) else None
    return min(asked if asked is not None else WAIT_SECONDS * 2**state.attempt_number, LONGEST_WAIT_SECONDS)
