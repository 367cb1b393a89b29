"""Fields of requests: what users write, as models, with one sentence for each bad value."""

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from rotoscope.errors import Refused
from rotoscope.filters import catalogue

TIME = r"^\s*((\d{1,4}:)?\d{1,2}:)?\d{1,7}(\.\d{1,9})?\s*$"
DOCUMENTS = "documents"
"""A field that no user writes: the filters of a request that are not built in."""
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
        raise Refused(" ".join(_sentence(one, kind) for one in error.errors())) from None


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


def _sentence(error: Any, kind: type[BaseModel]) -> str:
    name = ".".join(str(part) for part in error["loc"]) or "the request"
    if error["type"] == "missing":
        return f"{name} is missing. {kind.model_fields[name].description}"
    if error["type"] == "extra_forbidden":
        return f"{name} is not a field of a request; the fields are {', '.join(users(kind))}."
    if error["type"] == "string_pattern_mismatch" and error["ctx"]["pattern"] == TIME:
        return f"{name} is {error['input']!r}, which is no time; write seconds, m:ss or h:mm:ss, such as 1:02.5."
    reason = error["msg"][:1].lower() + error["msg"][1:]
    return f"{name} is {error['input']!r}, but {reason.replace('input should', 'it should')}."
