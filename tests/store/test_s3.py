"""What a bucket has to do beside what every store does."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from rotoscope.errors import Mismatch
from rotoscope.store.folder import FolderStore
from rotoscope.store.s3 import PART_BYTES, Bucket, S3Store
from tests.s3 import S3Server
from tests.serving import cutting_proxy
from tests.store.conftest import bucket

LARGE = 3 * PART_BYTES + 7
POLICY = Path(__file__).parents[2] / "deploy" / "bucket-policy.json"
ACTIONS = {
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
    "CompleteMultipartUpload": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "DeleteObjects": "s3:DeleteObject",
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "ListObjectsV2": "s3:ListBucket",
    "PutObject": "s3:PutObject",
    "UploadPart": "s3:PutObject",
}
"""What a policy calls the operations, by the API reference of S3."""


def put_bytes(store: S3Store | FolderStore, key: str, content: bytes) -> None:
    with store.workspace("tmp") as folder:
        (folder / "x").write_bytes(content)
        store.put(key, folder / "x")


def test_a_large_object_goes_in_parts_and_comes_back(s3_store: S3Store) -> None:
    content = os.urandom(LARGE)
    put_bytes(s3_store, "large", content)
    with s3_store.local("large") as path:
        assert path.read_bytes() == content


def test_of_many_that_write_at_once_one_keeps_the_key(moto: S3Server, tmp_path: Path) -> None:
    store = S3Store(bucket(moto), tmp_path)
    contents = [bytes([number]) * size for number, size in enumerate([100, LARGE] * 4)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: put_bytes(store, "one", content), contents))
    with store.local("one") as path:
        first = path.read_bytes()
    assert first in contents
    for content in contents:
        put_bytes(store, "one", content)
    with store.local("one") as path:
        assert path.read_bytes() == first


def test_an_object_that_was_cut_short_in_the_bucket_is_noticed(moto: S3Server, tmp_path: Path) -> None:
    place = bucket(moto)
    store = S3Store(place, tmp_path)
    put_bytes(store, "a", b"whole and well")
    facts = place.client.head_object(Bucket=place.name, Key="some/prefix/a")["Metadata"]
    place.client.put_object(Bucket=place.name, Key="some/prefix/a", Body=b"whole", Metadata=facts)
    with pytest.raises(Mismatch, match="is not what was stored there"), store.local("a"):
        pass


def test_a_broken_upload_leaves_nothing(moto: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = bucket(moto)
    store = S3Store(place, tmp_path)

    def breaks(**wanted: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(place.client, "upload_part", breaks)
    with pytest.raises(KeyboardInterrupt):
        put_bytes(store, "large", bytes(LARGE))
    assert not store.exists("large")
    assert "Uploads" not in place.client.list_multipart_uploads(Bucket=place.name)


def test_uploads_carry_the_options(moto: S3Server, tmp_path: Path) -> None:
    place = bucket(moto, ServerSideEncryption="AES256", StorageClass="STANDARD_IA")
    store = S3Store(place, tmp_path)
    for key, content in (("kept", b"x"), ("large", bytes(LARGE)), ("runs/1/scratch", b"x")):
        put_bytes(store, key, content)
    found = {
        key: place.client.head_object(Bucket=place.name, Key=f"some/prefix/{key}")
        for key in ("kept", "large", "runs/1/scratch")
    }
    assert {one["ServerSideEncryption"] for one in found.values()} == {"AES256"}
    assert [one.get("StorageClass") for one in found.values()] == ["STANDARD_IA", "STANDARD_IA", None]


def test_the_policy_allows_just_what_the_store_does(nanio: S3Server, tmp_path: Path) -> None:
    place = bucket(nanio)
    done: set[str] = set()
    place.client.meta.events.register("before-call.s3", lambda model, **_: done.add(ACTIONS[model.name]))
    store = S3Store(place, tmp_path)
    store.replace_json("document", store.exists("none"))
    put_bytes(store, "large", bytes(LARGE))
    with store.local("large"):
        assert store.get_json("document") is False
    upload = store.begin_parts("begun")
    assert [(entry.key, its) for entry, its in store.unfinished()] == [("begun", upload)]
    store.drop_parts("begun", upload)
    store.delete("large")
    allowed = [action for statement in json.loads(POLICY.read_text())["Statement"] for action in statement["Action"]]
    assert sorted(allowed) == sorted(done)


def test_links_work_for_those_who_have_no_key(s3_store: S3Store) -> None:
    put_bytes(s3_store, "a", b"content")
    answer = requests.get(s3_store.download_link("a", 60, "clip.mp4"), timeout=10)
    assert answer.content == b"content"
    assert requests.put(s3_store.upload_link("b", 60), data=b"sent", timeout=10).ok
    with s3_store.local("b") as path:
        assert path.read_bytes() == b"sent"


def test_a_signed_link_is_for_its_object_alone(nanio: S3Server, tmp_path: Path) -> None:
    store = S3Store(bucket(nanio), tmp_path)
    put_bytes(store, "a", b"content")
    put_bytes(store, "b", b"secret")
    assert requests.get(store.download_link("a", 60).replace("/a?", "/b?"), timeout=10).status_code == 403


def test_a_folder_can_be_copied_to_a_bucket_and_used(moto: S3Server, tmp_path: Path) -> None:
    folder, place = FolderStore(tmp_path / "folder"), bucket(moto)
    folder.put_json("videos/1/manifest.json", {"frames": 7})
    for path in folder.root.rglob("*"):
        if path.is_file():
            key = f"some/prefix/{path.relative_to(folder.root).as_posix()}"
            place.client.upload_file(str(path), place.name, key)
    store = S3Store(place, tmp_path / "scratch")
    assert store.get_json("videos/1/manifest.json") == {"frames": 7}
    assert list(store.below("videos")) == list(folder.below("videos")) == ["videos/1/manifest.json"]


def test_a_document_is_read_whole_while_it_is_replaced(s3_store: S3Store) -> None:
    documents = [{"said": "x" * length} for length in range(0, 4000, 100)]
    s3_store.replace_json("progress", documents[0])

    def replace() -> None:
        for document in documents * 3:
            s3_store.replace_json("progress", document)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(replace)
        while not writing.done():
            assert s3_store.get_json("progress") in documents
        writing.result()
    assert s3_store.get_json("progress") == documents[-1]


def test_a_missing_bucket_is_an_error_and_not_an_empty_store(moto: S3Server, tmp_path: Path) -> None:
    store = S3Store(Bucket(moto.client(), "nobodys"), tmp_path)
    with pytest.raises(Exception, match="NoSuchBucket"):
        put_bytes(store, "a", b"x")


@pytest.mark.slow
def test_two_gigabytes_go_in_and_out_in_little_memory(nanio: S3Server, tmp_path: Path) -> None:
    name = f"large-{os.getpid()}"
    nanio.client().create_bucket(Bucket=name)
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("two_gigabytes.py"), nanio.url, name, tmp_path],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 200 * 10**6, f"{done.stdout} bytes of memory at most"


def test_a_connection_that_is_cut_in_the_middle_is_taken_up_again(nanio: S3Server, tmp_path: Path) -> None:
    place = bucket(nanio)
    content = os.urandom(LARGE)
    put_bytes(S3Store(place, tmp_path), "large", content)
    with cutting_proxy(nanio.url, after=PART_BYTES // 2, times=3) as url:
        store = S3Store(Bucket(S3Server(url).client(), place.name, place.prefix), tmp_path)
        with store.local("large") as path:
            assert path.read_bytes() == content
        put_bytes(store, "again", content)
        with store.local("again") as path:
            assert path.read_bytes() == content
