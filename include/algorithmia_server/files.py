"""Files by URI, with the rights of one caller: collections of users, temporary places, and connectors."""

import json
import re
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import boto3
import botocore.config

from algorithmia_server.errors import InputError, NotFound
from algorithmia_server.settings import Settings
from algorithmia_server.trees import BucketTree, FolderTree, Kind, Page, Tree, checked, joined

DEFAULT_ACCESS = ["algo://.my/*"]
PUBLIC = "user://*"
URI = re.compile(r"(?P<scheme>[a-z0-9+_-]+):/{1,2}(?P<path>.*)", re.IGNORECASE | re.DOTALL)
FILE_DEPTHS = {".session": 2, ".algo": 5}
"""Names in the path of a file in special places; in a user's collections it is three."""


@dataclass(frozen=True)
class Place:
    """Where a URI leads: a path in a tree. directory: whether only a directory can be there; access: whose rules."""

    tree: Tree
    path: str
    uri: str
    directory: bool | None = None
    access: "Access | None" = None


@dataclass(frozen=True)
class Access:
    """Who may read a collection, in a small file beside the collections."""

    file: Path

    @property
    def read(self) -> list[str]:
        try:
            found: list[str] = json.loads(self.file.read_text())
        except FileNotFoundError:
            return DEFAULT_ACCESS
        return found

    def set(self, read: Any) -> None:
        """Change it. Raises InputError for what the protocol does not have."""
        if not isinstance(read, list) or not all(isinstance(one, str) for one in read):
            raise InputError('acl must look like {"read": ["user://*"]}')
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=self.file.parent, delete=False) as new:
            new.write(json.dumps(read))
        Path(new.name).replace(self.file)

    def forget(self) -> None:
        """Let the next collection of this name begin with the default."""
        self.file.unlink(missing_ok=True)


@dataclass(frozen=True)
class Files:
    """What one caller can reach. Every method raises NotFound or InputError for what cannot be."""

    settings: Settings
    user: str

    def read(self, uri: str, most: int) -> bytes:
        """The bytes of a file that has `most` bytes at most."""
        place = self.at(uri)
        file, size = place.tree.open(place.path)
        with file:
            if size > most:
                raise InputError(f"{uri} has {size} bytes; the most is {most}", "TooLargeError")
            return file.read(most)

    def write(self, uri: str, file: IO[bytes]) -> str:
        """Write a file, over what is there; gives its URI."""
        place = self.at(uri, writing=True)
        if place.directory:
            raise InputError(f"{place.uri} names a directory, not a file")
        place.tree.write(place.path, file)
        return place.uri

    def at(self, uri: str, *, writing: bool = False) -> Place:
        """Where a URI leads this caller: `data://...`, `s3+alias://...`, or the same as clients put it in a path."""
        found = URI.fullmatch(uri)
        scheme, path = (found["scheme"].lower(), found["path"]) if found else ("data", uri)
        if scheme == "data":
            return self._collection(path, writing)
        if scheme not in self._trees:
            there = ", ".join(self._trees) or "none"
            raise NotFound(f"connector {scheme} not found; there are: {there}")
        return Place(self._trees[scheme], path.strip("/"), f"{scheme}://{path}")

    def _collection(self, path: str, writing: bool) -> Place:
        first, *rest = [part for part in path.split("/") if part] or [""]
        if first in FILE_DEPTHS:
            tree = self._folder(".special", self.user)
            parts = [first.removeprefix("."), *checked(joined(rest))]
            if writing:
                tree.make(joined(parts[: FILE_DEPTHS[first] - 1]))
            return self._place(tree, parts, f"data://{path}", FILE_DEPTHS[first])
        if not first:
            return Place(_Owner(self.user), "", "data://", directory=True)
        owner = self.user if first == ".my" else first
        parts = checked(joined(rest))
        if owner not in self.settings.keys:
            raise NotFound(f"directory data://{owner} not found")
        place = self._place(self._folder("users", owner), parts, f"data://{joined([owner, *parts])}", 2)
        if owner != self.user and (writing or not parts or place.access is None or PUBLIC not in place.access.read):
            raise NotFound(f"{place.uri} not found")
        return place

    def _place(self, tree: FolderTree, parts: list[str], uri: str, depth: int) -> Place:
        if len(parts) > depth:
            raise InputError(f"{uri} lies too deep; collections hold files, and no directories")
        access = Access(tree.root / ".access" / f"{parts[0]}.json") if parts and depth == 2 else None
        return Place(tree, joined(parts), uri, directory=len(parts) < depth, access=access)

    def _folder(self, *names: str) -> FolderTree:
        root = self.settings.data.joinpath(*names)
        root.mkdir(parents=True, exist_ok=True)
        return FolderTree(root)

    @cached_property
    def _trees(self) -> dict[str, Tree]:
        return {name.lower(): _connected(name, where) for name, where in self.settings.connectors.items()}


class _Owner(FolderTree):
    """The top of all collections, where a caller sees nobody but himself."""

    def __init__(self, user: str) -> None:
        self._user = user

    def kind(self, path: str) -> Kind:
        return "directory"

    def list(self, path: str, marker: str | None) -> Page:
        return Page([self._user])


def _connected(name: str, where: str) -> Tree:
    if name == "file":
        return FolderTree(Path(where))
    endpoint = where if urlsplit(where).scheme else None
    style = {"addressing_style": "path"} if endpoint else {}
    config = botocore.config.Config(signature_version="s3v4", s3=style)
    return BucketTree(boto3.client("s3", endpoint_url=endpoint, config=config))
