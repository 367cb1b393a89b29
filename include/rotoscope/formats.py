"""Output formats: data files in include/formats, one each. Adding a format is adding a file."""

from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from rotoscope.errors import Refused

FOLDER = Path(__file__).resolve().parents[1] / "formats"


class Format(BaseModel):
    """How painted frames and the source's sound become one file. Options are ffmpeg's own names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    sentence: str
    extension: str
    muxer: str
    pixel_format: str
    video: dict[str, str | int]
    muxer_options: dict[str, str | int] = {}
    copied_sound: list[str]
    other_sound: dict[str, str | int]


@cache
def formats() -> dict[str, Format]:
    """Every format by its name."""
    found = [Format.model_validate_json(path.read_text()) for path in sorted(FOLDER.glob("*.json"))]
    return {one.name: one for one in found}


def get(name: str) -> Format:
    """The format of this name. Raises Refused with the names that exist."""
    try:
        return formats()[name]
    except KeyError:
        raise Refused(f"There is no output format {name!r}; choose one of {', '.join(formats())}.") from None


def of_file(path: Path) -> Format:
    """The format that is called like a file's extension. Raises Refused with the extensions that can be written."""
    extension = path.suffix.lower().removeprefix(".")
    if extension in formats():
        return formats()[extension]
    known = ", ".join(f".{name}" for name, one in formats().items() if name == one.extension)
    raise Refused(f"Files ending in {path.suffix or 'nothing'} cannot be written; end the name in one of {known}.")
