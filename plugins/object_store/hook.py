"""Objects by URI, wherever they are: s3://, data:// at an Algorithmia endpoint, http(s)://, or a file."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from airflow.sdk import BaseHook

from algorithmia.hook import AlgorithmiaHook
from rotoscope import fetch
from rotoscope.errors import Refused
from rotoscope.media.probe import file_facts, file_sha256

GONE = ("404", "NoSuchKey", "NotFound", "NoSuchBucket")


class ObjectStoreHook(BaseHook):
    """Fetches, sends and looks for objects, with the credentials of two connections.

    ```python
    ObjectStoreHook().fetch("s3://films/flight.mp4", Path("flight.mp4"))
    ```
    """

    def __init__(
        self, aws_conn_id: str = "aws_default", algorithmia_conn_id: str = AlgorithmiaHook.default_conn_name
    ) -> None:
        super().__init__()
        self.aws_conn_id = aws_conn_id
        self.algorithmia_conn_id = algorithmia_conn_id

    def get_conn(self) -> Any:
        """boto3's client."""
        from airflow.providers.amazon.aws.hooks.s3 import S3Hook  # seconds to import, which few tasks need to pay

        return S3Hook(self.aws_conn_id).get_conn()

    def exists(self, uri: str) -> bool:
        """Whether there is such an object. Raises Refused for addresses of the web, which only a fetch can tell."""
        scheme, place = _parsed(uri)
        if scheme == "s3":
            return self._s3_facts(place) is not None
        if scheme == "data":
            return AlgorithmiaHook(self.algorithmia_conn_id).data.exists(uri)
        if scheme == "file":
            return Path(place).is_file()
        raise Refused(f"Whether {uri} is there is not known before it is fetched.")

    def listed(self, begin: str) -> Iterator[str]:
        """The URI of each s3:// object whose URI begins so. Raises Refused for what names no bucket."""
        scheme, place = _parsed(begin)
        bucket, _, prefix = place.partition("/")
        if scheme != "s3" or not bucket:
            raise Refused(f"{begin} names no bucket; write s3://BUCKET/PREFIX/.")
        pages = self.get_conn().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return (f"s3://{bucket}/{one['Key']}" for page in pages for one in page.get("Contents", []))

    def fetch(self, uri: str, target: Path) -> str:
        """Fetch an object into a file; gives the SHA-256 of its bytes. Raises Refused if there is none."""
        scheme, place = _parsed(uri)
        if scheme == "web":
            return fetch.fetch(uri, target)
        if scheme == "data":
            AlgorithmiaHook(self.algorithmia_conn_id).data.download(uri, target)
        elif scheme == "s3":
            if self._s3_facts(place) is None:
                raise Refused(f"There is no object {uri}; check its name, and what connection {self.aws_conn_id} may.")
            bucket, key = _bucket(place)
            self.get_conn().download_file(bucket, key, str(target))
        else:
            file_facts(Path(place))
            shutil.copyfile(place, target)
        return file_sha256(target)

    def send(self, path: Path, uri: str, sha256: str, metadata: Mapping[str, str]) -> bool:
        """Send a file to an s3:// URI, unless the same is there; gives whether it was sent."""
        scheme, place = _parsed(uri)
        if scheme != "s3":
            raise Refused(f"A result is published to s3://BUCKET/KEY, not to {uri}.")
        facts = self._s3_facts(place)
        if facts is not None and facts.get("Metadata", {}).get("sha256") == sha256:
            return False
        bucket, key = _bucket(place)
        self.get_conn().upload_file(str(path), bucket, key, ExtraArgs={"Metadata": {**metadata, "sha256": sha256}})
        return True

    def download_link(self, uri: str, seconds: int) -> str:
        """A URL by which anybody can get an s3:// object for so many seconds. A secret: for no log and no XCom."""
        return self._link("get_object", uri, seconds)

    def upload_link(self, uri: str, seconds: int) -> str:
        """A URL to which anybody can PUT an s3:// object for so many seconds. A secret too."""
        return self._link("put_object", uri, seconds)

    def _link(self, operation: str, uri: str, seconds: int) -> str:
        bucket, key = _bucket(_parsed(uri)[1])
        wanted = {"Bucket": bucket, "Key": key}
        link: str = self.get_conn().generate_presigned_url(operation, Params=wanted, ExpiresIn=seconds)
        return link

    def _s3_facts(self, place: str) -> dict[str, Any] | None:
        from botocore.exceptions import ClientError

        bucket, key = _bucket(place)
        try:
            facts: dict[str, Any] = self.get_conn().head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in GONE:
                return None
            raise
        return facts


def _parsed(uri: str) -> tuple[str, str]:
    """(what kind, where): `web`, `s3`, `data` or `file`. Raises Refused for other schemes."""
    scheme, separator, place = uri.partition("://")
    kind = {"http": "web", "https": "web", "s3": "s3", "s3a": "s3", "data": "data"}.get(scheme.lower())
    if not separator:
        return "file", uri
    if scheme.lower() == "file":
        return "file", unquote(urlsplit(uri).path)
    if kind is None:
        raise Refused(f"{scheme}:// cannot be fetched; give s3://, data://, an http(s) URL, or the path of a file.")
    return kind, place


def _bucket(place: str) -> tuple[str, str]:
    bucket, _, key = place.partition("/")
    if not bucket or not key:
        raise Refused(f"s3://{place} names no object; write s3://BUCKET/KEY.")
    return bucket, key
