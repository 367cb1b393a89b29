"""The catalogue: which filters there are, by name. Its entries are data files in include/filters."""

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from rotoscope.errors import Refused, RotoscopeError

FOLDER = Path(__file__).resolve().parents[2] / "filters"
IDENTITY = "identity"
TAGS = {
    "subtle": "the film stays clear",
    "bold": "the paint comes first",
    "abstract": "hides what was filmed",
    "strokes": "of a brush or a crayon",
    "lines": "drawn, cut or etched",
    "dots": "printed or scattered",
    "mosaic": "of tiles or splinters",
    "flat": "large plain fields",
    "pastel": "pale colours",
    "bright": "white ground",
    "dark": "dark ground",
    "warm": "reds and yellows",
    "cool": "blues and greens",
}


class Weights(BaseModel):
    """A model file, known by the SHA-256 of its bytes.

    file: inside an installed package, or else beside the catalogue's data files, or else, for a filter that somebody
    trained, its key in the store; path: where that one is at hand, as long as somebody paints with it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    package: str | None = None
    file: str
    sha256: str
    path: Path | None = Field(default=None, exclude=True)

    def read(self) -> bytes:
        """The model's bytes. Raises RotoscopeError if they are not those the catalogue was written for."""
        place = self.path or (resources.files(self.package) if self.package else FOLDER).joinpath(self.file)
        model = place.read_bytes()
        if hashlib.sha256(model).hexdigest() != self.sha256:
            raise RotoscopeError(
                f"The weights {self.file} of {self.package or 'this project'} are not those of the catalogue; "
                "install the version that requirements.txt names."
            )
        return model


class Remote(BaseModel):
    """An algorithm at an Algorithmia endpoint that paints pictures.

    input: what it is given, with VideoTransform's placeholders for the pictures; model: the field of the input that
    says which of its textures; models: some that many endpoints have; pictures: as what frames are sent;
    frame_seconds: of computing, to plan with.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    algorithm: str
    input: dict[str, Any]
    model: str | None = None
    models: tuple[str, ...] = ()
    pictures: Literal["png", "jpeg"] = "png"
    frame_seconds: float = 0.5


class Filter(BaseModel):
    """A named, versioned texture: an engine, its weights and the parameters that make this texture of them.

    tags: words to choose by, of TAGS; native_size: the shorter side, in pixels, of frames that it was made for, if it
    matters; recipe: how its weights were trained, if that was here.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    sentence: str
    version: str
    engine: str
    weights: Weights | None = None
    remote: Remote | None = None
    parameters: dict[str, Any]
    licence: str
    origin: str
    tags: tuple[str, ...] = ()
    native_size: int | None = None
    recipe: dict[str, Any] | None = None

    @property
    def reference(self) -> str:
        """Names this version and no other."""
        return f"{self.name}@{self.version}"

    def with_model(self, model: str | None) -> Self:
        """The filter with this texture of its algorithm. Raises Refused if it wants none, or wants one and has none."""
        field = self.remote.model if self.remote else None
        if model and not field:
            raise Refused(f"The filter {self.name} takes no model; leave that field empty.")
        if field and not model:
            raise Refused(
                f"The filter {self.name} needs a model; name one that the endpoint has, such as space_pizza, "
                "or your own, data://USER/COLLECTION/FILE."
            )
        return self.model_copy(update={"parameters": {field: model}}) if field else self

    def blended(self, other: Self, share: float) -> Self:
        """Both textures in one pass, `share` of the other one, 0..1. Raises Refused if no network holds both."""
        if not self.blends_with(other):
            raise Refused(
                f"{self.name} and {other.name} cannot be blended, since no network holds both; "
                f"{self.name} blends with {self._partners}."
            )
        names = {field: f"{getattr(self, field)} + {getattr(other, field)}" for field in ("name", "title")}
        return self.model_copy(update={**names, "parameters": self._mixed(other, share)})

    @property
    def _partners(self) -> str:
        """What it blends with, for people."""
        if "vector" in self.parameters:
            return "filters that were made of a picture"
        there = [one.name for one in catalogue().values() if one.name != self.name and self.blends_with(one)]
        return ", ".join(there) or "no other"

    def blends_with(self, other: Self) -> bool:
        """Whether one network holds both textures."""
        return bool(self.weights and other.weights and self.weights.sha256 == other.weights.sha256)

    def _mixed(self, other: Self, share: float) -> dict[str, Any]:
        mine, theirs = self.parameters.get("vector"), other.parameters.get("vector")
        if mine and theirs:
            return {"vector": [(1 - share) * one + share * two for one, two in zip(mine, theirs, strict=True)]}
        return {"styles": [*self.styles(1 - share), *other.styles(share)]}

    def styles(self, share: float) -> list[tuple[int, float]]:
        """The styles of a multi-style network that make this texture, with the shares that they have of `share`."""
        one = self.parameters.get("style", -1)
        return [(style, share * part) for style, part in self.parameters.get("styles", [(one, 1.0)])]

    def fingerprint(self) -> dict[str, Any]:
        """What the painted pixels depend on, and nothing else: for keys and provenance."""
        seen = {"name", "version", "engine", "weights", "parameters"}
        return self.model_dump(include=seen) | (
            {"remote": self.remote.model_dump(include={"algorithm", "input", "pictures"})} if self.remote else {}
        )


@cache
def catalogue() -> dict[str, Filter]:
    """Every filter by its name, in the order of the data files."""
    found: dict[str, Filter] = {}
    for path in sorted(FOLDER.glob("*.json")):
        pack = json.loads(path.read_text())
        for entry in pack.pop("filters"):
            one = Filter(**pack, **entry)
            if one.name in found:
                raise RotoscopeError(f"Two filters are called {one.name!r}; rename one of them in {path.name}.")
            found[one.name] = one
    return found


def here(tag: str | None = None) -> list[str]:
    """The names of those that paint on this machine, all or with a tag. Raises Refused for a tag that is none."""
    if tag is not None and tag not in TAGS:
        raise Refused(f"There is no tag {tag!r}; the tags are {', '.join(TAGS)}.")
    found = (one for one in catalogue().values() if not one.remote and one.name != IDENTITY)
    return [one.name for one in found if tag is None or tag in one.tags]


def get(name: str, made: Sequence[Filter] = ()) -> Filter:
    """The built-in filter of this name or reference, or that of `made` with this reference.

    Raises Refused with the names there are.
    """
    if name in catalogue():
        return catalogue()[name]
    for one in (*made, *catalogue().values()):
        if one.reference == name:
            return one
    raise Refused(f"There is no filter {name!r}; choose one of {', '.join(catalogue())}.")
