"""Trees of files: a folder here, or a bucket. Paths in them are relative and in POSIX form."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Literal, Protocol

from botocore.exceptions import ClientError

from algorithmia_server.errors import InputError, NotFound

Kind = Literal["file", "directory"]
PAGE = 1000
LONGEST_NAME = 255


@dataclass(frozen=True)
class File:
    """A file in a listing."""

    filename: str
    size: int
    last_modified: datetime

    def shown(self) -> dict[str, Any]:
        """As the protocol lists it."""
        moment = self.last_modified.astimezone(UTC)
        stamp = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
        return {"filename": self.filename, "last_modified": stamp, "size": self.size}


@dataclass
class Page:
    """A part of a listing. marker: where the next one begins, None after the last."""

    folders: list[str] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    marker: str | None = None


class Tree(Protocol):
    """What every tree can do. Raises NotFound for what is not there."""

    def kind(self, path: str) -> Kind | None:
        """What is there."""

    def open(self, path: str) -> tuple[IO[bytes], int]:
        """A file to read, and its size in bytes."""

    def write(self, path: str, file: IO[bytes]) -> None:
        """Make a file, whole or not at all, over what is there."""

    def delete(self, path: str) -> None:
        """Delete a file."""

    def make(self, path: str) -> None:
        """Make a directory."""

    def delete_tree(self, path: str, force: bool) -> int:
        """Delete a directory, with `force` also what is in it; gives how many files there were."""

    def list(self, path: str, marker: str | None) -> Page:
        """A page of a directory."""


class FolderTree:
    """A folder of this machine, which no path leaves."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def kind(self, path: str) -> Kind | None:
        place = self._at(path)
        return "file" if place.is_file() else "directory" if place.is_dir() else None

    def open(self, path: str) -> tuple[IO[bytes], int]:
        if self.kind(path) != "file":
            raise NotFound(f"{path} not found")
        file = self._at(path).open("rb")
        return file, os.fstat(file.fileno()).st_size

    def write(self, path: str, file: IO[bytes]) -> None:
        place = self._at(path)
        if not place.parent.is_dir():
            raise NotFound(f"directory {path.rpartition('/')[0]} not found")
        if place.is_dir():
            raise InputError(f"{path} is a directory")
        scratch = self.root / ".writing"
        scratch.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            written = Path(folder) / "file"
            with written.open("wb") as target:
                shutil.copyfileobj(file, target, 2**20)
            written.replace(place)

    def delete(self, path: str) -> None:
        if self.kind(path) != "file":
            raise NotFound(f"{path} not found")
        self._at(path).unlink()

    def make(self, path: str) -> None:
        place = self._at(path)
        if place.is_file():
            raise InputError(f"{path} is a file")
        place.mkdir(parents=True, exist_ok=True)

    def delete_tree(self, path: str, force: bool) -> int:
        place = self._at(path)
        if not place.is_dir():
            raise NotFound(f"directory {path} not found")
        files = sum(one.is_file() for one in place.rglob("*"))
        if any(place.iterdir()) and not force:
            raise InputError(f"directory {path} is not empty")
        shutil.rmtree(place)
        return files

    def list(self, path: str, marker: str | None) -> Page:
        place = self._at(path)
        if not place.is_dir():
            raise NotFound(f"directory {path} not found")
        after = _entry(marker) if marker else (-1, "")
        entries = sorted((not one.is_dir(), one.name) for one in os.scandir(place) if not one.name.startswith("."))
        rest = [entry for entry in entries if entry > after]
        page = Page(marker=_marker(*rest[PAGE - 1]) if len(rest) > PAGE else None)
        for is_file, name in rest[:PAGE]:
            if not is_file:
                page.folders.append(name)
                continue
            with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
                facts = (place / name).stat()
                page.files.append(File(name, facts.st_size, datetime.fromtimestamp(facts.st_mtime, UTC)))
        return page

    def _at(self, path: str) -> Path:
        place = self.root.joinpath(*checked(path)).resolve()
        if not place.is_relative_to(self.root):
            raise InputError(f"{path} leads out of its directory")
        return place


class BucketTree:
    """Buckets of an S3 endpoint; the first part of a path is the bucket. client: of boto3."""

    def __init__(self, client: Any) -> None:
        self._s3 = client

    def kind(self, path: str) -> Kind | None:
        bucket, key = self._at(path)
        with contextlib.suppress(ClientError):
            if key:
                self._s3.head_object(Bucket=bucket, Key=key)
                return "file"
        found = self._listed(bucket, Prefix=f"{key}/" if key else "", MaxKeys=1)
        return "directory" if found.get("KeyCount") or not key else None

    def open(self, path: str) -> tuple[IO[bytes], int]:
        bucket, key = self._at(path)
        try:
            found = self._s3.get_object(Bucket=bucket, Key=key)
        except ClientError:
            raise NotFound(f"{path} not found") from None
        return found["Body"], found["ContentLength"]

    def write(self, path: str, file: IO[bytes]) -> None:
        bucket, key = self._at(path)
        self._s3.upload_fileobj(file, bucket, key)

    def delete(self, path: str) -> None:
        bucket, key = self._at(path)
        if self.kind(path) != "file":
            raise NotFound(f"{path} not found")
        self._s3.delete_object(Bucket=bucket, Key=key)

    def make(self, path: str) -> None:
        self._at(path)  # S3 has no directories; one is there as soon as something is in it

    def delete_tree(self, path: str, force: bool) -> int:
        bucket, key = self._at(path)
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{key}/")
        found = [one["Key"] for page in pages for one in page.get("Contents", [])]
        if found and not force:
            raise InputError(f"directory {path} is not empty")
        for one in found:
            self._s3.delete_object(Bucket=bucket, Key=one)
        return len(found)

    def list(self, path: str, marker: str | None) -> Page:
        bucket, key = self._at(path)
        prefix = f"{key}/" if key else ""
        more = {"ContinuationToken": marker} if marker else {}
        said = self._listed(bucket, Prefix=prefix, Delimiter="/", MaxKeys=PAGE, **more)
        files = [File(o["Key"][len(prefix) :], o["Size"], o["LastModified"]) for o in said.get("Contents", [])]
        folders = [one["Prefix"][len(prefix) :].rstrip("/") for one in said.get("CommonPrefixes", [])]
        return Page(folders, [file for file in files if file.filename], said.get("NextContinuationToken"))

    def _listed(self, bucket: str, **wanted: Any) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self._s3.list_objects_v2(Bucket=bucket, **wanted)
        except ClientError:
            raise NotFound(f"bucket {bucket} not found") from None
        return found

    def _at(self, path: str) -> tuple[str, str]:
        bucket, *rest = checked(path) or [""]
        if not bucket:
            raise InputError("the path names no bucket")
        return bucket, "/".join(rest)


def checked(path: str) -> list[str]:
    """The parts of a path. Raises InputError for names that no file may have."""
    parts = [part for part in path.split("/") if part]
    for part in parts:
        if part.startswith(".") or "\0" in part or len(part.encode()) > LONGEST_NAME:
            raise InputError(f"{part[:60]!r} is no name for a file or a directory")
    return parts


def joined(parts: Iterable[str]) -> str:
    """A path of these parts."""
    return "/".join(parts)


def _marker(is_file: bool, name: str) -> str:
    return f"{int(is_file)}-{name}"


def _entry(marker: str) -> tuple[int, str]:
    is_file, _, name = marker.partition("-")
    if is_file not in ("0", "1"):
        raise InputError(f"{marker!r} is no marker of a listing")
    return int(is_file), name
