"""The algorithms of this server by name and version."""

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import import_module
from typing import Any

from algorithmia_server.errors import InputError, NotFound
from algorithmia_server.files import Files
from algorithmia_server.settings import Settings

MODULES = {
    "deeplearning/deepfilter": "deep_filter",
    "media/videotransform": "video_transform",
    "media/videometadataextraction": "video_metadata",
    "media/scenedetection": "scene_detection",
    "util/echo": "echo",
}


@dataclass(frozen=True)
class Call:
    """What an algorithm may use while it works for one caller. seconds: that it may take."""

    files: Files
    settings: Settings
    seconds: float

    def algorithm(self, reference: str, input: Any) -> Any:
        """What another algorithm of this server gives, for the same caller."""
        return find(reference)(input, self)


Algorithm = Callable[[Any, Call], Any]


def find(reference: str) -> Algorithm:
    """The algorithm of `[algo://]owner/name[/version]`; a version may have `*` in it. Raises NotFound."""
    parts = [part for part in reference.removeprefix("algo:").split("/") if part]
    name = "/".join(parts[:2])
    module = MODULES.get(name.lower())
    if module is None or len(parts) not in (2, 3):
        raise NotFound(f"algorithm algo://{'/'.join(parts)} not found")
    found = import_module(f"algorithmia_server.algorithms.{module}")
    if len(parts) == 3 and not fnmatchcase(found.VERSION, parts[2]):
        raise NotFound(f"algorithm algo://{'/'.join(parts)} not found; the version here is {found.VERSION}")
    algorithm: Algorithm = found.run
    return algorithm


def fields(input: Any, *names: str) -> dict[str, Any]:
    """The input as an object that has these fields. Raises InputError if it is none."""
    missing = [name for name in names if not isinstance(input, dict) or name not in input]
    if missing:
        raise InputError(f"the input must be a JSON object with {', '.join(missing)}")
    found: dict[str, Any] = input
    return found
