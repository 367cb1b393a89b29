"""A rotoscope request as a user writes it: the same fields in the trigger form, in `conf` and on the command line."""

import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, Self, TypeVar
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from rotoscope import formats
from rotoscope.errors import Refused
from rotoscope.filters import catalogue
from rotoscope.limits import limits

Size = Literal["source", "2160p", "1440p", "1080p", "720p", "540p", "480p", "360p", "240p"]
TIME = r"^\s*((\d{1,4}:)?\d{1,2}:)?\d{1,7}(\.\d{1,9})?\s*$"
Fields = TypeVar("Fields", bound=BaseModel)
DEFAULT_FILTER = "starlit-swirl"
LARGEST = 2**16 - 1
"""Pixels of a side that frames on their way can count."""
SMALLEST = 32
"""Pixels that the networks need, since they halve a picture twice and mirror its border."""


DOCUMENTS = "documents"
"""A field that no user writes."""
Find = Callable[[str], catalogue.Filter]
"""Gives the filter of a name that is not built in. Raises Refused if there is none."""


class Request(BaseModel):
    """What shall be painted and how. `Request.parse` turns bad values into one sentence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field(
        title="Video",
        description="Path of the video file, as the machine that runs the tasks sees it, or its URL (http, s3, data).",
    )
    filter: str = Field(
        default=DEFAULT_FILTER,
        title="Filter",
        description="The texture laid over every frame. Empty the field to see all, or name one that you made.",
    )
    blend: str | None = Field(
        default=None, title="Blend with", description="A second filter, whose texture is blended in; in the same pass."
    )
    blend_share: float = Field(
        default=0.5, ge=0, le=1, title="Share", description="Of the second filter: 0 is the first alone, 1 the second."
    )
    then: list[str] = Field(
        default=[],
        max_length=8,
        title="Then",
        description="Further filters over the painted frames, a line each, as NAME or NAME:STRENGTH, such as oil:0.5.",
    )
    strength: float = Field(
        default=1.0, ge=0, le=1, title="Strength", description="From 0, the video as it is, to 1, all paint."
    )
    keep_colours: bool = Field(
        default=False, title="Keep colours", description="Take only light and texture from the filter."
    )
    steady: float = Field(
        default=0.0,
        ge=0,
        le=1,
        title="Steadiness",
        description="From 0, each frame painted by itself, to 1, paint that moves with what it is on.",
    )
    key_frames: bool = Field(
        default=False,
        title="Paint key frames only",
        description="Paint few frames and carry their paint to the others: several times faster, and fully steady.",
    )
    start: str | None = Field(
        default=None,
        pattern=TIME,
        title="Start",
        description="Seconds, m:ss or h:mm:ss from the beginning; empty for the beginning.",
    )
    end: str | None = Field(
        default=None, pattern=TIME, title="End", description="The same way; empty for the end of the video."
    )
    size: Size = Field(
        default="source", title="Size", description="The shorter side of the painted video; smaller paints faster."
    )
    fps: float | None = Field(
        default=None, ge=1, le=240, title="Frames a second", description="Empty keeps the video's own timing."
    )
    deinterlace: bool = Field(
        default=False, title="Deinterlace", description="Make whole frames of an old camera's half pictures first."
    )
    format: str = Field(default="mp4", title="Output format", description="What kind of file comes out.")
    quality: int | None = Field(
        default=None,
        title="Quality",
        description="On the encoder's own scale, CRF for most formats: smaller is better. Empty for the format's own.",
    )
    speed: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9]*$",
        title="Encoder preset",
        description="From ultrafast to veryslow, or a number for WebM and AV1. Empty for the format's own.",
    )
    pixel_format: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9]*$",
        title="Pixel format",
        description="Such as yuv420p10le for ten bits. Empty for the nearest to the video's that plays well.",
    )
    chunk_frames: int | None = Field(
        default=None,
        ge=1,
        title="Chunk length",
        description="Frames a task paints; empty chooses by the filter's speed, with borders at key frames.",
    )
    scene_cuts: bool = Field(
        default=False,
        title="Chunks end at scene cuts",
        description="Look for scene cuts and let chunks end there; takes the time of decoding the video once.",
    )
    keep_painted: bool = Field(
        default=False,
        title="Keep the painted frames",
        description="Store them without loss too, so that other formats need no painting; takes much space.",
    )
    model: str | None = Field(
        default=None,
        pattern=r"^[\w.:/+-]*$",
        title="Model",
        description="For DeepFilter: a texture of the endpoint, such as space_pizza, or a model of yours, data://...",
    )
    most_calls: int | None = Field(
        default=None, ge=0, title="Calls at most", description="Stop before more calls of the endpoint; empty for any."
    )
    most_cost: float | None = Field(
        default=None, ge=0, title="Cost at most", description="Stop before the price list says more; empty for any."
    )

    documents: tuple[catalogue.Filter, ...] = Field(
        default=(), description="Those of its filters that are not built in; `parse` finds them."
    )

    @classmethod
    def parse(cls, fields: dict[str, Any], find: Find = catalogue.get) -> Self:
        """The request in these fields. Raises Refused with one sentence for each bad value."""
        request = validated(cls, fields)._with_documents(find)
        if "\0" in unquote(request.source):
            raise Refused("The source's name holds a zero byte, which no file's can; check it.")
        remote = request.texture.remote  # refuses what is not in the catalogue
        if request.then and any(one.remote for one, _ in request.layers):
            raise Refused("A filter that paints elsewhere cannot be one of several; leave out then, or that filter.")
        if remote and request.is_steady:
            raise Refused(
                f"The filter {request.filter} paints elsewhere, frame by frame; leave out steady and key_frames."
            )
        formats.get(request.format).check(request.quality, request.speed, request.pixel_format)
        start, end = request.start_second, request.end_second
        if start is not None and end is not None and start >= end:
            raise Refused(f"The part from {request.start} to {request.end} is empty; let it end after it starts.")
        return request

    def _with_documents(self, find: Find) -> Self:
        """The request with the documents of filters that are not built in, each named by its version."""
        layers = [_layer(text) for text in self.then]
        names = {name for name in (self.filter, self.blend, *(name for name, _ in layers)) if name}
        made = {name: find(name) for name in sorted(names - set(catalogue.catalogue()))}
        pinned = {name: one.reference for name, one in made.items()}
        fields = {
            "filter": pinned.get(self.filter, self.filter),
            "blend": self.blend and pinned.get(self.blend, self.blend),
            "then": [f"{pinned.get(name, name)}:{strength:g}" for name, strength in layers],
        }
        return self.model_copy(update={DOCUMENTS: tuple(made.values()), **fields})

    @field_validator("blend", "model", "speed", "pixel_format")
    @classmethod
    def _none_if_empty(cls, value: str | None) -> str | None:
        return value or None

    @field_validator("start", "end", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        """A number of seconds is as good as its text, and an empty field is none."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        return None if isinstance(value, str) and not value.strip() else value

    @property
    def source_url(self) -> str | None:
        """The source as a URL to fetch it from, None for a file or a video of the store.

        Raises Refused for one that is none of these.
        """
        scheme, colon, _ = self.source.partition("://")
        if not colon or scheme.lower() in ("file", "video"):
            return None
        if scheme.lower() not in ("http", "https", "s3", "data"):
            raise Refused(
                f"{scheme}:// cannot be fetched; give an http(s), s3:// or data:// URL, or the path of a file."
            )
        return self.source

    @property
    def video(self) -> str | None:
        """The SHA-256 of a source that is in the store already. Raises Refused for what is no SHA-256."""
        scheme, _, sha256 = self.source.partition("://")
        if scheme.lower() != "video":
            return None
        if not re.fullmatch(r"[0-9a-f]{64}", sha256):
            raise Refused(f"{self.source} names no video; write video:// and the 64 digits of its SHA-256.")
        return sha256

    @property
    def source_path(self) -> Path:
        """The source as a file."""
        return Path(unquote(urlsplit(self.source).path) if self.source.lower().startswith("file://") else self.source)

    @property
    def public(self) -> Self:
        """The request without what a source's URL may hold of secrets: a password, a signature."""
        if self.source_url is None:
            return self
        parts = urlsplit(self.source)
        place = parts.netloc.rpartition("@")[2]
        return self.model_copy(update={"source": f"{parts.scheme}://{place}{parts.path}"})

    @property
    def start_second(self) -> Fraction | None:
        return seconds_of(self.start) if self.start else None

    @property
    def end_second(self) -> Fraction | None:
        return seconds_of(self.end) if self.end else None

    @property
    def rate(self) -> Fraction | None:
        """Frames a second; 23.976, 29.97 and 59.94 stand for the fractions over 1001 that they abbreviate."""
        if self.fps is None:
            return None
        broadcast = Fraction(round(self.fps * 1.001) * 1000, 1001)
        return (
            broadcast if abs(float(broadcast) - self.fps) < 0.001 else Fraction(str(self.fps)).limit_denominator(1000)
        )

    def painted_size(self, upright: tuple[int, int]) -> tuple[int, int]:
        """(width, height) of the painted frames for a video of this upright size in pixels.

        Raises Refused if that is too small for a filter.
        """
        wide, high = upright
        if self.size != "source":
            shorter, scale = int(self.size[:-1]), Fraction(int(self.size[:-1]), min(upright))
            wide, high = (shorter if side == min(upright) else round(side * scale / 2) * 2 for side in upright)
        if wide * high > limits().max_pixels or max(wide, high) > LARGEST:
            raise Refused(f"The painted video would be {wide}x{high}, which is too large; ask for a smaller size.")
        if self.paints and min(wide, high) < SMALLEST:
            raise Refused(f"The painted video would be {wide}x{high}; a filter needs {SMALLEST} pixels on both sides.")
        return wide, high

    @property
    def texture(self) -> catalogue.Filter:
        """The filter, with the model or blended with the one that it is asked for. Raises Refused if it cannot be."""
        filter = catalogue.get(self.filter, self.documents).with_model(self.model)
        return filter.blended(catalogue.get(self.blend, self.documents), self.blend_share) if self.blend else filter

    @property
    def layers(self) -> list[tuple[catalogue.Filter, float]]:
        """The filters that change pixels, with their strengths, in the order in which they are laid over a frame."""
        then = [(catalogue.get(name, self.documents), strength) for name, strength in map(_layer, self.then)]
        first = (self.texture, self.strength)
        return [(one, strength) for one, strength in (first, *then) if strength > 0 and one.name != catalogue.IDENTITY]

    @property
    def is_remote(self) -> bool:
        """Whether frames are painted at an Algorithmia endpoint."""
        return self.paints and self.texture.remote is not None

    @property
    def is_steady(self) -> bool:
        """Whether a frame's paint depends on the frames around it."""
        return self.paints and (self.steady > 0 or self.key_frames)

    @property
    def paints(self) -> bool:
        """Whether any pixel changes: a strength of 0 and the identity filter leave the frames as they are."""
        return bool(self.layers)


def validated(kind: type[Fields], fields: dict[str, Any]) -> Fields:
    """What a user wrote as such a model. Raises Refused with one sentence for each bad value."""
    if DOCUMENTS in fields:
        raise Refused(f"{DOCUMENTS} is not a field of a request; name a filter, or make one with create_filter first.")
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise Refused(" ".join(_sentence(one, kind) for one in error.errors())) from None


def _layer(text: str) -> tuple[str, float]:
    """NAME or NAME:STRENGTH as both. Raises Refused for what is no strength."""
    name, colon, strength = text.strip().partition(":")
    try:
        number = float(strength) if colon else 1.0
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise Refused(f"{text!r} is no layer; write a filter's name, and if you like a strength from 0 to 1: oil:0.5.")
    return name, number


def users(kind: type[BaseModel]) -> list[str]:
    """The fields that users write."""
    return [name for name in kind.model_fields if name != DOCUMENTS]


def seconds_of(text: str) -> Fraction:
    """A time in seconds."""
    parts = re.split(":", text.strip())
    return sum((Fraction(part) * 60**place for place, part in enumerate(reversed(parts))), Fraction(0))


def _sentence(error: Any, kind: type[BaseModel]) -> str:
    name = ".".join(str(part) for part in error["loc"]) or "the request"
    if error["type"] == "missing":
        return f"{name} is missing; say which video to paint."
    if error["type"] == "extra_forbidden":
        return f"{name} is not a field of a request; the fields are {', '.join(users(kind))}."
    if error["type"] == "string_pattern_mismatch" and name in ("start", "end"):
        return f"{name} is {error['input']!r}, which is no time; write seconds, m:ss or h:mm:ss, such as 1:02.5."
    reason = error["msg"][:1].lower() + error["msg"][1:]
    return f"{name} is {error['input']!r}, but {reason.replace('input should', 'it should')}."
