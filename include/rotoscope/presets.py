"""Presets: named sets of a rotoscope's options, as data files in include/presets."""

from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from rotoscope.errors import Refused

FOLDER = Path(__file__).resolve().parents[1] / "presets"


class Preset(BaseModel):
    """A named set of options."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    sentence: str = Field(description="What it is for.")
    options: dict[str, Any] = Field(description="Fields of a rotoscope, with their values.")


@cache
def presets() -> dict[str, Preset]:
    """Every preset by its name."""
    found = [Preset.model_validate_json(path.read_text()) for path in sorted(FOLDER.glob("*.json"))]
    return {one.name: one for one in found}


def get(name: str) -> Preset:
    """The preset of this name. Raises Refused with the names that there are."""
    try:
        return presets()[name]
    except KeyError:
        raise Refused(f"There is no preset {name!r}; choose one of {', '.join(presets())}.") from None
