"""Uploads: bytes of a video on their way into a store, in pieces, so that a broken connection costs one piece.

Into a folder they go through the API server, piece after piece. Into a bucket they go past it, by links to S3's own
multipart upload. Either way the object appears when all are there.
"""

import fcntl
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from rotoscope.errors import Refused
from rotoscope.store import keys
from rotoscope.store.base import Store
from rotoscope.store.folder import FolderStore
from rotoscope.store.s3 import S3Store

CONTENT, PARTIAL, PARTS = "content", "partial", "parts.json"
PART_BYTES = 16 * 2**20
MOST_PARTS = 10_000
LINK_SECONDS = 3600


class OutOfStep(Exception):
    """A piece does not follow what is there. received: bytes that are."""

    def __init__(self, received: int) -> None:
        super().__init__(received)
        self.received = received


@dataclass(frozen=True)
class FolderUpload:
    """An upload into a folder."""

    store: FolderStore
    run_id: str

    @property
    def received(self) -> int:
        """Bytes that are there."""
        try:
            return self._partial.stat().st_size
        except FileNotFoundError:
            return 0

    def write(self, offset: int, piece: bytes) -> int:
        """Add a piece that begins at an offset; gives the bytes that are there then.

        Raises OutOfStep if that is not where the last one ended, or another piece is just being written.
        """
        self._partial.parent.mkdir(parents=True, exist_ok=True)
        with self._partial.open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OutOfStep(self.received) from None
            if offset != os.fstat(file.fileno()).st_size:
                raise OutOfStep(self.received)
            file.write(piece)
            return offset + len(piece)

    def complete(self, size: int) -> None:
        """All bytes are there. Raises Refused if they are not `size`."""
        key = keys.incoming(self.run_id, CONTENT)
        if self.store.exists(key):
            return
        if self.received != size:
            raise Refused(f"{self.received} of {size} bytes are there; send the rest from byte {self.received} on.")
        self.store.put(key, self._partial)

    @property
    def _partial(self) -> Path:
        return Path(self.store.address(keys.incoming(self.run_id, PARTIAL)))


@dataclass(frozen=True)
class BucketUpload:
    """An upload into a bucket."""

    store: S3Store
    run_id: str

    def links(self, size: int) -> list[str]:
        """A URL for each part, in order, to PUT it to within an hour. Parts have `part_bytes`, the last less."""
        key = keys.incoming(self.run_id, CONTENT)
        try:
            upload = self.store.get_json(keys.incoming(self.run_id, PARTS))["upload"]
        except KeyError:
            self.store.put_json(keys.incoming(self.run_id, PARTS), {"upload": self.store.begin_parts(key)})
            upload = self.store.get_json(keys.incoming(self.run_id, PARTS))["upload"]  # another one may have been first
        count = -(-size // part_bytes(size))
        return [self.store.part_link(key, upload, number, LINK_SECONDS) for number in range(1, count + 1)]

    def complete(self, etags: Sequence[str]) -> None:
        """All parts are there; etags: what S3 answered for each. Raises Refused if it knows better."""
        key = keys.incoming(self.run_id, CONTENT)
        if self.store.exists(key):
            return
        upload = self.store.get_json(keys.incoming(self.run_id, PARTS))["upload"]
        try:
            self.store.end_parts(key, upload, etags)
        except ClientError as error:
            raise Refused(f"The parts do not make the file: {error.response['Error'].get('Message')}") from None


def part_bytes(size: int) -> int:
    """Bytes of a part of an upload of this size."""
    return max(PART_BYTES, -(-size // MOST_PARTS))


def upload_of(store: Store, run_id: str) -> FolderUpload | BucketUpload:
    """The upload for a registration, as this kind of store takes one."""
    if isinstance(store, S3Store):
        return BucketUpload(store, run_id)
    assert isinstance(store, FolderStore)
    return FolderUpload(store, run_id)


def forget(store: Store, run_id: str) -> None:
    """Delete what came of an upload, also parts that no object was made of."""
    if isinstance(store, S3Store):
        try:
            found: dict[str, Any] = store.get_json(keys.incoming(run_id, PARTS))
        except KeyError:
            pass
        else:
            store.drop_parts(keys.incoming(run_id, CONTENT), found["upload"])
    store.delete(f"incoming/{run_id}")
