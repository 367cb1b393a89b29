"""Fields of requests: what users write, as models, with one sentence for each bad value."""

import re
import reprlib
from collections.abc import Callable
from difflib import get_close_matches
from fractions import Fraction
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from rotoscope.errors import Refused
from rotoscope.filters import catalogue

_TIME = r"^\s*((\d{1,4}:)?\d{1,2}:)?\d{1,7}(\.\d{1,9})?\s*$"


def _as_text(value: Any) -> Any:
    """A number of seconds is as good as its text."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _none_if_blank(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


Time = Annotated[str, Field(pattern=_TIME), BeforeValidator(_as_text)]
"""Seconds, m:ss or h:mm:ss; `seconds_of` gives it as a number."""
TimeOrNone = Annotated[Time | None, BeforeValidator(_none_if_blank)]
"""The same in a field that may be left empty."""
DOCUMENTS = "documents"
"""A field that no user writes: the filters of a request that are not built in."""
ALIKE = 0.65
"""Share of two words' letters that agree where one may stand for the other."""
Fields = TypeVar("Fields", bound=BaseModel)
Find = Callable[[str], catalogue.Filter]
"""Gives the filter of a name that is not built in. Raises Refused if there is none."""


def validated(kind: type[Fields], fields: dict[str, Any]) -> Fields:
    """What a user wrote as such a model. Raises Refused with one sentence for each bad value."""
    if DOCUMENTS in fields:
        raise Refused(f"{DOCUMENTS} is not a field of a request; name a filter, or make one with create_filter first.")
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise Refused(" ".join(sentence(one, kind) for one in error.errors())) from None


def users(kind: type[BaseModel]) -> list[str]:
    """The fields that users write."""
    return [name for name in kind.model_fields if name != DOCUMENTS]


def seconds_of(text: str) -> Fraction:
    """A time in seconds."""
    parts = re.split(":", text.strip())
    return sum((Fraction(part) * 60**place for place, part in enumerate(reversed(parts))), Fraction(0))


def name_and_number(text: str, least: float, most: float, example: str) -> tuple[str, float]:
    """NAME or NAME:NUMBER as both, 1 without a number. Raises Refused for a number outside of least..most."""
    name, colon, number = text.strip().partition(":")
    try:
        value = float(number) if colon else 1.0
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise Refused(
            f"{text!r} is no layer; write a filter's name, and if you like a number from {least:g} to {most:g}: "
            f"{example}."
        )
    return name, value


def sentence(error: Any, kind: type[BaseModel]) -> str:
    """What is wrong with a value, for people. error: one of pydantic's, of such a model."""
    name, given = ".".join(str(part) for part in error["loc"]) or "the request", reprlib.repr(error["input"])
    field = kind.model_fields.get(error["loc"][0]) if error["loc"] else None
    description = (field and field.description) or ""
    if error["type"] == "missing":
        return f"{name} is missing. {description}".strip()
    if error["type"] == "extra_forbidden":
        near = get_close_matches(name, users(kind), 1, ALIKE)
        known = f"did you mean {near[0]}?" if near else f"the fields are {', '.join(users(kind))}."
        return f"{name} is not a field of a request; {known}"
    if error["type"] == "string_pattern_mismatch":
        if error["ctx"]["pattern"] == _TIME:
            return f"{name} is {given}, which is no time; write seconds, m:ss or h:mm:ss, such as 1:02.5."
        return f"{name} cannot be {given}. {description}".strip()
    reason = error["msg"][:1].lower() + error["msg"][1:]
    return f"{name} is {given}, but {reason.replace('input should', 'it should')}."
