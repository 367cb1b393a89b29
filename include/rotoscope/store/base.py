"""The store: where objects live, by key. Objects are written once, whole or not at all."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class Entry:
    """An object as a listing shows it. bytes: its size; modified: when it was written."""

    key: str
    bytes: int
    modified: datetime


class Store(Protocol):
    """What every store can do. Keys are relative paths in POSIX form, such as `videos/3f2a.../manifest.json`."""

    def exists(self, key: str) -> bool:
        """Whether a finished object has this key."""

    def put(self, key: str, path: Path) -> None:
        """Store a file of a `workspace` under a key and take it away from there; the first to come keeps the key."""

    def put_json(self, key: str, document: Any) -> None:
        """Store a JSON document under a key; the first to come keeps it."""

    def get_json(self, key: str) -> Any:
        """Read a JSON document. Raises KeyError if there is none."""

    def local(self, key: str) -> AbstractContextManager[Path]:
        """The object as a local file to read for the length of a `with` block. Raises KeyError if there is none."""

    def workspace(self, prefix: str) -> AbstractContextManager[Path]:
        """A fresh local folder to make objects in; it goes with the block, or with `delete(prefix)` after a crash."""

    def address(self, key: str) -> str:
        """Where a person finds the object: a path or a URL."""

    def replace_json(self, key: str, document: Any) -> None:
        """Write a JSON document that changes, such as progress; readers see the old one or the new one, whole."""

    def below(self, prefix: str) -> Iterator[str]:
        """The key of each object below this prefix."""

    def entries(self, prefix: str) -> Iterator[Entry]:
        """Each object below this prefix, and what lies in workspaces there, also if whoever made them was killed."""

    def unfinished(self) -> Iterator[tuple[Entry, str]]:
        """Uploads in parts that were begun and not ended, as an entry of no bytes and what `drop_parts` takes."""

    def drop_parts(self, key: str, upload: str) -> None:
        """Forget the parts of an upload; those of one that is over are gone already."""

    def delete(self, prefix: str) -> int:
        """Delete the object of this key, or every object below this prefix; gives how many there were."""
