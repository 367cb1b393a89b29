"""Fields of requests: what users write, as models, with one sentence for each bad value."""

import re
import reprlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fractions import Fraction
from typing import Annotated, Any, Self, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, Field, ValidationError
from pydantic.fields import FieldInfo

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
ALIKE = 0.6
"""Share of two words' letters that agree where one may stand for the other."""
Fields = TypeVar("Fields", bound=BaseModel)
Find = Callable[[str], catalogue.Filter]
"""Gives the filter of a name that is not built in. Raises Refused if there is none."""


def validated(kind: type[Fields], fields: dict[str, Any]) -> Fields:
    """What a user wrote as such a model. Raises Refused with one sentence for each bad value."""
    if DOCUMENTS in fields:
        raise Refused(f"{DOCUMENTS} is not a field of a request; name a filter, or make one with create_filter first.")
    return model_of(kind, fields)


def model_of(kind: type[Fields], document: Any, whole: str = "The request") -> Fields:
    """A document as such a model. whole: what users call one. Raises Refused with one sentence for each bad value."""
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        raise Refused(" ".join(sentences(error.errors(), kind, whole))) from None


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


def sentences(errors: Iterable[Any], kind: type[BaseModel], whole: str = "The request") -> list[str]:
    """What is wrong with values, each thing once.

    errors: pydantic's, of values of such a model; whole: what users call one.
    """
    return list(dict.fromkeys(_sentence(one, kind, whole) for one in errors))


def _sentence(error: Any, kind: type[BaseModel], whole: str) -> str:
    place = _Place.of(error["loc"], kind)
    name, given = place.name or whole, reprlib.repr(error["input"])
    reason = str(error["ctx"]["error"]) if error["type"] == "value_error" else error["msg"]
    reason = reason[:1].lower() + reason[1:]
    if error["type"] == "missing":
        return f"{name} is missing. {place.description}".strip()
    if error["type"] == "extra_forbidden":
        return f"{name} is not a field of a request{place.known}."
    if error["type"] == "string_pattern_mismatch":
        if error["ctx"]["pattern"] == _TIME:
            return f"{name} is {given}, which is no time; write seconds, m:ss or h:mm:ss, such as 1:02.5."
        return f"{name} cannot be {given}. {place.description}".strip()
    if error["type"] == "value_error":
        return f"{name} cannot be {given}: {reason}." if place.name else f"{reason[:1].upper()}{reason[1:]}."
    return f"{name} is {given}, but {reason.replace('input should', 'it should')}."


@dataclass(frozen=True)
class _Place:
    """Where a value is in a model. owner: the model that it is in, if that is known; field: what it is there, if so."""

    name: str
    owner: type[BaseModel] | None
    field: FieldInfo | None = None

    @classmethod
    def of(cls, loc: Sequence[str | int], kind: type[BaseModel]) -> Self:
        """The place that pydantic means, without the names that it gives to kinds of a union."""
        place, inner = cls("", kind), _model_in(kind)
        for part in loc:
            name = f"{place.name}.{part}".lstrip(".")
            if isinstance(part, int):
                place = replace(place, name=name)
            elif inner is None:
                break
            else:
                field = inner.model_fields.get(part)
                place, inner = cls(name, inner, field), _model_in(field.annotation) if field else None
        return place

    @property
    def description(self) -> str:
        """What the value is for."""
        return (self.field and self.field.description) or ""

    @property
    def known(self) -> str:
        """Which fields there are in its place."""
        if self.owner is None:
            return ""
        fields = users(self.owner)
        near = get_close_matches(self.name.rpartition(".")[2], fields, 1, ALIKE)
        guess = f"; did you mean {near[0]}? The" if near else "; the"
        return f"{guess} fields are {', '.join(fields)}"


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that values are of, or their items are, if there is one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = {model for one in get_args(annotation) if (model := _model_in(one))}
    return found.pop() if len(found) == 1 else None
