"""A store in an S3 bucket, or in one of any server that speaks S3's protocol. The same keys as in a folder.

Nothing here needs a rename, an order of listings or a lock: an object appears whole when its upload is complete, and
the first to complete it keeps the key where the server knows conditional writes (others are asked before).
"""

import contextlib
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError, IncompleteReadError, ReadTimeoutError, ResponseStreamingError
from tenacity import Retrying, retry_if_exception, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from rotoscope.errors import Mismatch, RotoscopeError
from rotoscope.media.probe import file_sha256
from rotoscope.store.base import Entry
from rotoscope.store.folder import SCRATCH, written

PART_BYTES = 8 * 2**20
MOST_PARTS = 10_000
AT_ONCE = 4
"""Parts on their way at once: with their size, what bounds the memory."""
TAKEN = "PreconditionFailed"
CROSSED = "ConditionalRequestConflict"
TRIES = 8
UNKNOWING = ("NotImplemented",)
"""What servers answer that know no conditional writes, where they do not ignore them."""
GONE = ("404", "NoSuchKey", "NotFound")
BREAKS = (IncompleteReadError, ResponseStreamingError, ReadTimeoutError)
"""What ends a body in the middle: botocore asks again only until the first byte."""
HALF_READ = Retrying(
    retry=retry_if_exception_type(Mismatch),
    stop=stop_after_attempt(TRIES),
    wait=wait_random_exponential(0.1, 5),
    reraise=True,
)
DELETED_AT_ONCE = 1000
DOWNLOAD = TransferConfig(
    multipart_threshold=PART_BYTES,
    multipart_chunksize=PART_BYTES,
    max_concurrency=AT_ONCE,
    max_io_queue=16,
    num_download_attempts=10,
)


@dataclass(frozen=True)
class Bucket:
    """Where an S3 store lies. client: of boto3; prefix: before all keys; options: of uploads, such as encryption.

    linking: the client that makes links for others, where they reach the bucket under another address.
    """

    client: Any
    name: str
    prefix: str = ""
    options: dict[str, str] = field(default_factory=dict)
    linking: Any = None


class S3Store:
    """See `rotoscope.store.base.Store` for what each method does. scratch: a local folder for files on their way."""

    def __init__(self, bucket: Bucket, scratch: Path) -> None:
        self._bucket = bucket
        self._s3 = bucket.client
        self._links = bucket.linking or bucket.client
        self._scratch = scratch

    def exists(self, key: str) -> bool:
        try:
            self._s3.head_object(**self._at(key))
        except ClientError as error:
            if _code(error) in GONE:
                return False
            raise
        return True

    def put(self, key: str, path: Path) -> None:
        if not self.exists(key):
            size = path.stat().st_size
            facts = {"Metadata": {"sha256": file_sha256(path)}, **self._options(key)}
            for attempt in _conflicts():
                with attempt, _first_come():
                    if size <= PART_BYTES:
                        self._create(key, path.read_bytes(), facts)
                    else:
                        self._create_in_parts(key, path, size, facts)
        path.unlink()

    def put_json(self, key: str, document: Any) -> None:
        with self.workspace("tmp") as folder:
            self.put(key, written(folder, document))

    def replace_json(self, key: str, document: Any) -> None:
        with self.workspace("tmp") as folder:
            body = written(folder, document).read_bytes()
        facts = {"Metadata": {"sha256": hashlib.sha256(body).hexdigest()}, **self._options(key)}
        self._s3.put_object(**self._at(key), Body=body, **facts)

    def get_json(self, key: str) -> Any:
        return json.loads(self._body(key))

    @contextmanager
    def local(self, key: str) -> Iterator[Path]:
        with self.workspace("fetched") as folder:
            path = folder / "object"
            self._download(key, path)
            yield path

    @contextmanager
    def workspace(self, prefix: str) -> Iterator[Path]:
        parent = self._scratch.joinpath(*_checked(prefix))
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="work-", dir=parent) as folder:
            yield Path(folder)

    def address(self, key: str) -> str:
        return f"s3://{self._bucket.name}/{self._key(key)}"

    def below(self, prefix: str) -> Iterator[str]:
        for found in self._listed(self._key(prefix) + "/"):
            yield self._plain(found["Key"])

    def entries(self, prefix: str) -> Iterator[Entry]:
        for found in self._listed(self._key(prefix) + "/"):
            yield Entry(self._plain(found["Key"]), found["Size"], found["LastModified"])

    def delete(self, prefix: str) -> int:
        shutil.rmtree(self._scratch.joinpath(*_checked(prefix)), ignore_errors=True)
        found = [self._key(prefix)] if self.exists(prefix) else []
        found += [one["Key"] for one in self._listed(self._key(prefix) + "/")]
        for start in range(0, len(found), DELETED_AT_ONCE):
            objects = [{"Key": key} for key in found[start : start + DELETED_AT_ONCE]]
            said = self._s3.delete_objects(Bucket=self._bucket.name, Delete={"Objects": objects, "Quiet": True})
            for error in said.get("Errors", []):
                raise RotoscopeError(f"{error['Key']} could not be deleted from the bucket: {error.get('Message')}")
        return len(found)

    def download_link(self, key: str, seconds: int, filename: str | None = None, media_type: str | None = None) -> str:
        """A URL by which anybody can get an object for so many seconds, saved under `filename`, as of a media type."""
        named = {"ResponseContentDisposition": f'attachment; filename="{filename}"'} if filename else {}
        if media_type:
            named["ResponseContentType"] = media_type
        wanted = {**self._at(key), **named}
        link: str = self._links.generate_presigned_url("get_object", Params=wanted, ExpiresIn=seconds)
        return link

    def upload_link(self, key: str, seconds: int) -> str:
        """A URL to which anybody can PUT an object for so many seconds."""
        link: str = self._links.generate_presigned_url("put_object", Params=self._at(key), ExpiresIn=seconds)
        return link

    def begin_parts(self, key: str) -> str:
        """Begin an upload in parts that others send; gives S3's id for it."""
        upload: str = self._s3.create_multipart_upload(**self._at(key), **self._options(key))["UploadId"]
        return upload

    def part_link(self, key: str, upload: str, number: int, seconds: int) -> str:
        """A URL to which anybody can PUT a part, counted from 1, for so many seconds."""
        part = {**self._at(key), "UploadId": upload, "PartNumber": number}
        link: str = self._links.generate_presigned_url("upload_part", Params=part, ExpiresIn=seconds)
        return link

    def end_parts(self, key: str, upload: str, etags: Sequence[str]) -> None:
        """Make the object of its parts. Raises ClientError if they are not these."""
        parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]
        self._s3.complete_multipart_upload(**self._at(key), UploadId=upload, MultipartUpload={"Parts": parts})

    def unfinished(self) -> Iterator[tuple[Entry, str]]:
        within = {"Prefix": f"{self._bucket.prefix}/"} if self._bucket.prefix else {}
        pages = self._s3.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket.name, **within)
        for page in pages:
            for found in page.get("Uploads", []):
                yield Entry(self._plain(found["Key"]), 0, found["Initiated"]), found["UploadId"]

    def drop_parts(self, key: str, upload: str) -> None:
        try:
            self._s3.abort_multipart_upload(**self._at(key), UploadId=upload)
        except ClientError as error:
            if _code(error) != "NoSuchUpload":
                raise

    def _create(self, key: str, body: bytes, facts: dict[str, Any]) -> None:
        _if_none(self._s3.put_object, **self._at(key), Body=body, **facts)

    def _create_in_parts(self, key: str, path: Path, size: int, facts: dict[str, Any]) -> None:
        upload = {**self._at(key), "UploadId": self._s3.create_multipart_upload(**self._at(key), **facts)["UploadId"]}
        length = max(PART_BYTES, -(-size // MOST_PARTS))

        def send(number: int) -> dict[str, Any]:
            with path.open("rb") as file:
                file.seek((number - 1) * length)
                part = self._s3.upload_part(**upload, PartNumber=number, Body=file.read(length))
            return {"PartNumber": number, "ETag": part["ETag"]}

        try:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                parts = list(pool.map(send, range(1, -(-size // length) + 1)))
            _if_none(self._s3.complete_multipart_upload, **upload, MultipartUpload={"Parts": parts})
        except BaseException:
            with contextlib.suppress(ClientError):
                self._s3.abort_multipart_upload(**upload)
            raise

    def _download(self, key: str, path: Path) -> None:
        """Get an object, in parts that are asked for again where one breaks off. Raises Mismatch if it is not whole."""
        with self._told(key):
            facts = self._s3.head_object(**self._at(key))
            self._s3.download_file(self._bucket.name, self._key(key), str(path), Config=DOWNLOAD)
        self._check(key, facts, file_sha256(path))

    @HALF_READ.wraps
    def _body(self, key: str) -> bytes:
        """A document, in one request; in further ones where a server mixes two versions while one is replaced."""
        with self._told(key):
            facts = self._s3.get_object(**self._at(key))
            body: bytes = facts["Body"].read()
        self._check(key, facts, hashlib.sha256(body).hexdigest())
        return body

    @contextmanager
    def _told(self, key: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            if _code(error) in GONE:
                raise KeyError(key) from None
            raise
        except BREAKS:
            raise Mismatch(f"{self.address(key)} breaks off; it is not whole in the bucket.") from None

    def _check(self, key: str, facts: dict[str, Any], sha256: str) -> None:
        if facts.get("Metadata", {}).get("sha256", sha256) != sha256:
            raise Mismatch(f"{self.address(key)} is not what was stored there; delete it, and its task makes it anew.")

    def _listed(self, prefix: str) -> Iterator[dict[str, Any]]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket.name, Prefix=prefix)
        for page in pages:
            yield from page.get("Contents", [])

    def _plain(self, key: str) -> str:
        """A key in the bucket as one of this store."""
        return key.removeprefix(f"{self._bucket.prefix}/") if self._bucket.prefix else key

    def _options(self, key: str) -> dict[str, str]:
        """Options of an upload; what lives no longer than a run stays in the class that charges for no month."""
        skipped = {"StorageClass"} if key.startswith(SCRATCH) else set()
        return {name: value for name, value in self._bucket.options.items() if name not in skipped}

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self._bucket.name, "Key": self._key(key)}

    def _key(self, key: str) -> str:
        parts = _checked(key)
        return "/".join([self._bucket.prefix, *parts] if self._bucket.prefix else parts)


def _checked(key: str) -> list[str]:
    parts = key.split("/")
    if not key or any(part in ("", ".", "..") for part in parts):
        raise ValueError(f"{key!r} is not a key of this store.")
    return parts


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _if_none(write: Callable[..., Any], **wanted: Any) -> None:
    """Write an object under the condition that there is none, where the server knows conditions."""
    try:
        write(**wanted, IfNoneMatch="*")
    except ClientError as error:
        if _code(error) not in UNKNOWING:
            raise
        write(**wanted)


@contextmanager
def _first_come() -> Iterator[None]:
    """Somebody else's object under the same key is as good as ours."""
    try:
        yield
    except ClientError as error:
        if _code(error) != TAKEN:
            raise


def _conflicts() -> Retrying:
    """Tries of an upload that another one, of whatever outcome, crossed."""
    return Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, ClientError) and _code(error) == CROSSED),
        stop=stop_after_attempt(TRIES),
        wait=wait_random_exponential(multiplier=0.1, max=5),
        reraise=True,
    )
