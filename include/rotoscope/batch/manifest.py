"""Batch manifest: which videos shall be painted in which ways, as people write it in YAML, JSON or CSV."""

import csv
import io
import re
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator

from rotoscope.errors import Refused
from rotoscope.fields import model_of

FOLDER = Path(__file__).resolve().parents[2] / "batches"
SUFFIXES = (".yaml", ".yml", ".json", ".csv")
MOST_AT_ONCE = 32
MOST_BYTES = 2**20
MARK = "\ufeff"
"""What Excel puts before UTF-8."""
COLUMNS = ("video", "chain", "preset", "must")
"""Of a CSV; any other column is a field of a request."""
Chain = str | dict[str, Any]


class Ways(BaseModel):
    """How videos are painted: each by every chain under every preset."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chains: list[Chain] = Field(
        default=[{}], min_length=1, description="A filter's name, or fields of a request such as filter, then, blend."
    )
    presets: list[str] = Field(default=[], description="Names of presets; none for the chains as they are.")
    options: dict[str, Any] = Field(default={}, description="Fields of a request that all of them have.")
    must: bool = Field(default=True, description="Whether the batch has failed if one of these is not painted.")

    @field_validator("chains", "presets", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, str | dict) else value


class Entry(Ways):
    """Videos, and how they are painted."""

    videos: list[str] = Field(
        min_length=1,
        description="A key of the store, a path, or an s3:// or http(s) URL. What ends in / stands for all videos "
        "below it, and * ? [] and ** for what they match.",
    )

    @field_validator("videos", mode="before")
    @classmethod
    def _one_is_a_list_too(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value


class Manifest(BaseModel):
    """A batch as somebody wrote it. `read` gives one."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="Rotoscope batch manifest")

    title: str = Field(default="", max_length=200, description="What people call it.")
    at_once: int = Field(default=2, ge=1, le=MOST_AT_ONCE, description="Rotoscopes that are painted side by side.")
    most_frames: int | None = Field(default=None, ge=0, description="Frames that one run of it may paint.")
    most_cost: float | None = Field(default=None, ge=0, description="US dollars that one run of it may cost.")
    entries: list[Entry] = Field(min_length=1, description="What is to be painted.")

    @classmethod
    def read(cls, text: str, suffix: str, when: datetime) -> Self:
        """The manifest in a text of this kind of file (`.yaml`, `.json` or `.csv`).

        when: the time that the batch is for; `{{ ds }}` in the text is its day, as 2026-11-25, `{{ ds_nodash }}` that
        without dashes, and `{{ ts }}` the whole of it. Raises Refused with a sentence for each thing that is wrong.
        """
        text = text.removeprefix(MARK)
        if len(text.encode()) > MOST_BYTES:
            raise Refused(f"A batch manifest has at most {MOST_BYTES} bytes; make two of it.")
        text = _rendered(text, when)
        return cls.of(_rows(text) if suffix == ".csv" else _document(text))

    @classmethod
    def of(cls, document: Any) -> Self:
        """The manifest that a document is. Raises Refused with a sentence for each thing that is wrong with it."""
        return model_of(cls, document, "The manifest")


def _rendered(text: str, when: datetime) -> str:
    """The text with the time written in, as Airflow's templates have it. A manifest may ask for that, and no more."""
    names = {"ds": f"{when:%Y-%m-%d}", "ds_nodash": f"{when:%Y%m%d}", "ts": when.isoformat()}

    def value(found: re.Match[str]) -> str:
        if found[1] not in names:
            known = ", ".join(f"{{{{ {name} }}}}" for name in names)
            raise Refused(f"The batch manifest has {found[0]}; it may have {known}.")
        return names[found[1]]

    return re.sub(r"\{\{\s*(.*?)\s*\}\}", value, text)


def _document(text: str) -> Any:
    """What YAML says, of which JSON is a part."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise Refused(
            f"The batch manifest is neither YAML nor JSON{where}: {getattr(error, 'problem', error)}."
        ) from None


def _rows(text: str) -> dict[str, Any]:
    """A CSV with a header, an entry a line. An empty cell says nothing; several values have semicolons between them."""
    entries = []
    for row in csv.DictReader(io.StringIO(text)):
        if None in row or None in row.values():
            raise Refused(f"A line of the CSV has more or fewer cells than its header: {list(row.values())}.")
        cells = {name.strip(): value.strip() for name, value in row.items() if value.strip()}
        if "video" not in cells:
            raise Refused("Each line of the CSV names its video; let the header have a column video, and fill it in.")
        options: dict[str, Any] = {name: _cell(name, value) for name, value in cells.items() if name not in COLUMNS}
        entry: dict[str, Any] = {"videos": cells["video"].split(";"), "options": options}
        if "chain" in cells:
            entry["chains"] = cells["chain"].split(";")
        if "preset" in cells:
            entry["presets"] = cells["preset"].split(";")
        if "must" in cells:
            entry["must"] = cells["must"]
        entries.append(entry)
    return {"entries": entries}


def _cell(name: str, value: str) -> Any:
    return value.split(";") if name in ("then", "blend", "fade_to") else value
