"""The official clients make their journeys at the bundled server: Python 2.0.5 and Node 0.3.10."""

import base64
import json
import subprocess
from pathlib import Path

import Algorithmia
import pytest
from Algorithmia.acl import ReadAcl
from Algorithmia.errors import AlgorithmException

from tests.serving import KEY, Server

JOURNEY = Path(__file__).parents[1] / "clients" / "journey.js"
MANY = 1030
"""Files of a directory: more than one page lists."""


@pytest.fixture
def python(server: Server) -> Algorithmia.client:
    return Algorithmia.client(KEY, server.url)


def collection(python, name: str):
    directory = python.dir(f"data://.my/{name}")
    if directory.exists():
        directory.delete(True)
    directory.create()
    return directory


@pytest.mark.parametrize(
    ("given", "kind"), [("hello", "text"), ({"a": [1, None]}, "json"), (b"\x00\xff", "binary"), ([1, 2], "json")]
)
def test_python_calls_with_each_type_of_content(python, given, kind: str) -> None:
    answer = python.algo("util/Echo/1.0.0").set_options(timeout=60).pipe(given)
    assert answer.result == given
    assert answer.metadata.content_type == kind
    assert answer.metadata.duration >= 0


def test_python_calls_for_raw_output_and_for_none(python) -> None:
    raw, void = Algorithmia.algorithm.OutputType.raw, Algorithmia.algorithm.OutputType.void
    assert python.algo("util/Echo").set_options(output=raw).pipe("bare") == "bare"
    assert python.algo("util/Echo").set_options(output=void).pipe("gone").request_id.startswith("req-")


def test_python_is_told_what_was_wrong(python, server: Server) -> None:
    with pytest.raises(AlgorithmException, match="algo://demo/none not found"):
        python.algo("demo/none").pipe("x")
    with pytest.raises(AlgorithmException, match="must be a JSON object") as caught:
        python.algo("deeplearning/DeepFilter").pipe("x")
    assert caught.value.error_type == "InputError"
    with pytest.raises(Exception, match="Failure"):
        Algorithmia.client("wrong", server.url).algo("util/Echo").pipe("x")
    with pytest.raises(Exception, match="400"):
        python.algo("deeplearning/DeepFilter").set_options(output=Algorithmia.algorithm.OutputType.raw).pipe("x")


def test_python_keeps_files(python) -> None:
    directory = collection(python, "robots")
    file = directory.file("T-800.txt")
    assert not file.exists()
    file.put("I'll be back")
    assert file.exists()
    assert file.getString() == "I'll be back"
    directory.file("a.json").putJson({"model": 800})
    assert directory.file("a.json").getJson() == {"model": 800}
    directory.file("b.bin").put(b"\x00\x01")
    assert directory.file("b.bin").getBytes() == b"\x00\x01"
    assert [one.getName() for one in directory.files()] == ["T-800.txt", "a.json", "b.bin"]
    assert next(iter(directory.files())).size == 12
    assert "robots" in [one.getName() for one in python.dir("data://.my").dirs()]
    with pytest.raises(Exception, match="not empty"):
        directory.delete()
    file.delete()
    assert not file.exists()
    directory.delete(True)
    assert not directory.exists()


def test_python_sees_and_sets_who_may_read(python, server: Server) -> None:
    directory = collection(python, "shown")
    directory.file("x").put("secret")
    other = Algorithmia.client("otherKEY", server.url)
    assert directory.get_permissions().read_acl == ReadAcl.my_algos.read_acl
    assert not other.file("data://me/shown/x").exists()
    assert directory.update_permissions(ReadAcl.public)
    assert directory.get_permissions().read_acl == ReadAcl.public.read_acl
    assert other.file("data://me/shown/x").getString() == "secret"
    assert directory.update_permissions(ReadAcl.private)
    assert not other.file("data://me/shown/x").exists()


def test_python_lists_more_than_a_page(python, server: Server) -> None:
    directory = collection(python, "many")
    for number in range(MANY):
        (server.data / "users" / "me" / "many" / f"{number:04}").write_bytes(b"")
    assert [one.getName() for one in directory.files()] == [f"{number:04}" for number in range(MANY)]


def test_node_makes_its_journey(python, server: Server) -> None:
    directory = collection(python, "node-many")
    for number in range(MANY):
        (server.data / "users" / "me" / "node-many" / f"{number:04}").write_bytes(b"")
    done = subprocess.run(["node", JOURNEY, KEY, server.url], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "text": "hello",
        "json": [1, {"a": None}],
        "binary": base64.b64encode(b"\x00\xff").decode(),
        "prefixed": "algo",
        "error": "algorithm algo://demo/none not found",
        "unauthorized": "authorization required",
        "made": "data://me/node",
        "put": "data://me/node/x.txt",
        "exists": True,
        "string": "text",
        "object": {"b": 2},
        "bytes": "0001ff",
        "listed": MANY,
        "deleted": 1,
        "gone": False,
        "directory": 2,
    }
    assert directory.exists()
