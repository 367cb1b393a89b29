"""A store in a folder, on one file system, so that renaming a finished file into place is atomic."""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rotoscope.store.base import Entry

WORK = "work-"
"""How the names of workspaces begin."""
SCRATCH = "runs/"
"""What lasts no longer than a run need not outlive a power cut."""


class FolderStore:
    """The default store. See `rotoscope.store.base.Store` for what each method does."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def exists(self, key: str) -> bool:
        return self._path(key).is_file()

    def put(self, key: str, path: Path) -> None:
        target = self._path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not key.startswith(SCRATCH):
            with path.open("rb") as file:
                os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(path, target)  # unlike a rename, this leaves an object that is there already as it is
        path.unlink()

    def put_json(self, key: str, document: Any) -> None:
        with self.workspace("tmp") as folder:
            self.put(key, written(folder, document))

    def replace_json(self, key: str, document: Any) -> None:
        target = self._path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        with self.workspace("tmp") as folder:
            written(folder, document).replace(target)

    def get_json(self, key: str) -> Any:
        try:
            return json.loads(self._path(key).read_text())
        except (FileNotFoundError, IsADirectoryError):
            raise KeyError(key) from None

    @contextmanager
    def local(self, key: str) -> Iterator[Path]:
        path = self._path(key)
        if not path.is_file():
            raise KeyError(key)
        yield path

    @contextmanager
    def workspace(self, prefix: str) -> Iterator[Path]:
        parent = self._path(prefix)
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=WORK, dir=parent) as folder:
            yield Path(folder)

    def address(self, key: str) -> str:
        return str(self._path(key))

    def below(self, prefix: str) -> Iterator[str]:
        return iter(sorted(self._key(file) for file in _files(self._path(prefix), WORK) if file.is_file()))

    def entries(self, prefix: str) -> Iterator[Entry]:
        for file in _files(self._path(prefix)):
            with contextlib.suppress(FileNotFoundError):  # it may go at any time
                facts = file.stat(follow_symlinks=False)
                yield Entry(self._key(file), facts.st_size, datetime.fromtimestamp(facts.st_mtime, UTC))

    def unfinished(self) -> Iterator[tuple[Entry, str]]:
        return iter(())  # uploads into a folder are files

    def drop_parts(self, key: str, upload: str) -> None:
        """There are none."""

    def delete(self, prefix: str) -> int:
        target = self._path(prefix)
        if target.is_file():
            target.unlink(missing_ok=True)
            return 1
        files = sum(file.is_file() for file in _files(target))
        while target.exists():
            with contextlib.suppress(FileNotFoundError):  # others may delete it too
                shutil.rmtree(target)
        return files

    def _path(self, key: str) -> Path:
        parts = Path(key).parts
        if not parts or key.startswith("/") or ".." in parts:
            raise ValueError(f"{key!r} is not a key of this store.")
        return self.root.joinpath(*parts)

    def _key(self, file: os.DirEntry[str]) -> str:
        return file.path.removeprefix(f"{self.root}{os.sep}")


def _files(folder: Path | str, without: str | None = None) -> Iterator[os.DirEntry[str]]:
    """What lies in a folder and in those in it, but for folders whose names begin so. Any of it may go meanwhile."""
    try:
        found = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in found:
        if not entry.is_dir(follow_symlinks=False):
            yield entry
        elif without is None or not entry.name.startswith(without):
            yield from _files(entry.path, without)


def written(folder: Path, document: Any) -> Path:
    """A JSON document as a file in a folder."""
    path = folder / "document.json"
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return path
