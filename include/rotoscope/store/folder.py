"""A store in a folder, on one file system, so that renaming a finished file into place is atomic."""

import contextlib
import json
import os
import shutil
import stat
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
        root = self._path(prefix)
        found = (path for path in root.rglob("*") if path.is_file() and not _is_work(path.relative_to(root)))
        return (path.relative_to(self.root).as_posix() for path in sorted(found))

    def entries(self, prefix: str) -> Iterator[Entry]:
        for path in self._path(prefix).rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # it may go at any time
                facts = path.lstat()
                if not stat.S_ISDIR(facts.st_mode):
                    modified = datetime.fromtimestamp(facts.st_mtime, UTC)
                    yield Entry(path.relative_to(self.root).as_posix(), facts.st_size, modified)

    def unfinished(self) -> Iterator[tuple[Entry, str]]:
        return iter(())  # uploads into a folder are files

    def drop_parts(self, key: str, upload: str) -> None:
        """There are none."""

    def delete(self, prefix: str) -> int:
        target = self._path(prefix)
        if target.is_file():
            target.unlink(missing_ok=True)
            return 1
        files = sum(path.is_file() for path in target.rglob("*"))
        while target.exists():
            with contextlib.suppress(FileNotFoundError):  # others may delete it too
                shutil.rmtree(target)
        return files

    def _path(self, key: str) -> Path:
        parts = Path(key).parts
        if not parts or key.startswith("/") or ".." in parts:
            raise ValueError(f"{key!r} is not a key of this store.")
        return self.root.joinpath(*parts)


def _is_work(path: Path) -> bool:
    return any(part.startswith(WORK) for part in path.parts)


def written(folder: Path, document: Any) -> Path:
    """A JSON document as a file in a folder."""
    path = folder / "document.json"
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return path
