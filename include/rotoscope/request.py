"""A rotoscope request as a user writes it: the same fields in the trigger form, in `conf` and on the command line."""

import re
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from rotoscope import formats
from rotoscope.errors import Refused
from rotoscope.fields import DOCUMENTS, Find, TimeOrNone, name_and_number, seconds_of, validated
from rotoscope.filters import catalogue
from rotoscope.limits import limits
from rotoscope.masks import box_of

Size = Literal["source", "2160p", "1440p", "1080p", "720p", "540p", "480p", "360p", "240p"]
DEFAULT_FILTER = "starlit-swirl"
LARGEST = 2**16 - 1
"""Pixels of a side that frames on their way can count."""
SMALLEST = 32
"""Pixels that the networks need, since they halve a picture twice and mirror its border."""

MOST_LAYERS = 8
MOST_WEIGHT = 100
NEEDS = {"mask_feather": "mask", "mask_invert": "mask", "fade_start": "fade_to", "fade_end": "fade_to"}
"""Fields that say something about another one."""
Layers = list[tuple[catalogue.Filter, float]]
"""Filters with their strengths, in the order in which they are laid over a frame."""


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
    blend: list[str] = Field(
        default=[],
        max_length=MOST_LAYERS,
        title="Blend with",
        description="Filters blended in, in the same pass, a line each: NAME, or NAME:WEIGHT beside the filter's 1.",
    )
    then: list[str] = Field(
        default=[],
        max_length=MOST_LAYERS,
        title="Then",
        description="Further filters over the painted frames, a line each, as NAME or NAME:STRENGTH, such as oil:0.5.",
    )
    scale: float = Field(
        default=1.0,
        ge=0.25,
        le=4,
        title="Scale",
        description="Of the texture: 2 for strokes twice as large, painted four times as fast; 0.5 for finer ones.",
    )
    fade_to: list[str] = Field(
        default=[],
        max_length=MOST_LAYERS,
        title="Fade to",
        description="Other filters that take over in the course of the video, a line each, like those in Then.",
    )
    fade_start: TimeOrNone = Field(
        default=None, title="Fade from", description="When they begin to; empty for the beginning."
    )
    fade_end: TimeOrNone = Field(
        default=None, title="Fade until", description="When they are all there is; empty for the end."
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
        description="From 0, each frame painted by itself, to 1, paint that moves with what it is on. "
        "With key frames alone, which are steady at 0 already, how exactly it does: 1 takes up to twice as long.",
    )
    key_frames: bool = Field(
        default=False,
        title="Paint key frames only",
        description="Paint few frames and carry their paint to the others: several times faster, and steady; "
        "with a steadiness of 1 as steady as can be.",
    )
    mask: str | None = Field(
        default=None,
        title="Mask",
        description="Paint only where it is white: a picture or a video of the same shape, its path or URL. "
        "Or a box: left, top, width and height in percent, such as 25,25,50,50.",
    )
    mask_feather: float = Field(
        default=0.0, ge=0, le=50, title="Feather", description="Width of the mask's soft edge, in percent of the frame."
    )
    mask_invert: bool = Field(default=False, title="Invert", description="Paint where the mask is black.")
    start: TimeOrNone = Field(
        default=None,
        title="Start",
        description="Seconds, m:ss or h:mm:ss from the beginning; empty for the beginning.",
    )
    end: TimeOrNone = Field(default=None, title="End", description="The same way; empty for the end of the video.")
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
    half: bool = Field(
        default=False,
        title="Half precision",
        description="Up to 1.5 times as fast on processors with bfloat16; pixels differ, there and on GPUs, "
        "most in plain frames.",
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
        for what, place in (("source", request.source), ("mask", "" if request.mask_box else request.mask or "")):
            if "\0" in unquote(place):
                raise Refused(f"The {what}'s name holds a zero byte, which no file's can; check it.")
        remote = request.texture.remote  # refuses what is not in the catalogue
        if (request.then or request.fade_to) and (remote or request.names_remote):
            raise Refused("A filter that paints elsewhere cannot be one of several; leave it out, or then and fade_to.")
        if remote and (request.scale != 1 or request.half):
            raise Refused(f"The filter {request.filter} paints elsewhere in its own way; leave out scale and half.")
        if remote and request.is_steady:
            raise Refused(
                f"The filter {request.filter} paints elsewhere, frame by frame; leave out steady and key_frames."
            )
        for field, needed in NEEDS.items():
            if getattr(request, field) and not getattr(request, needed):
                raise Refused(f"{field} says nothing without {needed}; fill in both, or leave both out.")
        formats.get(request.format).check(request.quality, request.speed, request.pixel_format)
        _refuse_if_empty("part", request.start, request.end)
        _refuse_if_empty("fade", request.fade_start, request.fade_end)
        return request

    def _with_documents(self, find: Find) -> Self:
        """The request with the documents of filters that are not built in, each named by its version."""
        lists = {"blend": map(_part, self.blend), "then": map(_layer, self.then), "fade_to": map(_layer, self.fade_to)}
        written = {field: [one for one in layers if one[0]] for field, layers in lists.items()}
        names = {self.filter, *(name for layers in written.values() for name, _ in layers)}
        built_in = catalogue.catalogue()
        found = {name: find(name) for name in sorted(names - set(built_in))}
        made = [one for one in found.values() if built_in.get(one.name) != one]
        pinned = {name: one.reference if one in made else one.name for name, one in found.items()}
        fields: dict[str, Any] = {
            field: [f"{pinned.get(name, name)}:{number:g}" for name, number in layers]
            for field, layers in written.items()
        }
        fields["filter"] = pinned.get(self.filter, self.filter)
        return self.model_copy(update={DOCUMENTS: tuple(made), **fields})

    @field_validator("model", "speed", "pixel_format", "mask")
    @classmethod
    def _none_if_empty(cls, value: str | None) -> str | None:
        return (value or "").strip() or None

    @property
    def source_url(self) -> str | None:
        """The source as a URL to fetch it from, None for a file or a video of the store.

        Raises Refused for one that is none of these.
        """
        scheme, colon, _ = self.source.partition("://")
        if not colon or scheme.lower() in ("file", "video"):
            return None
        if scheme.lower() not in ("http", "https", "s3", "data", "picture", "store"):
            raise Refused(
                f"{scheme}:// cannot be fetched; give an http(s), s3:// or data:// URL, store://KEY, or a path."
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
    def fade_start_second(self) -> Fraction | None:
        return seconds_of(self.fade_start) if self.fade_start else None

    @property
    def fade_end_second(self) -> Fraction | None:
        return seconds_of(self.fade_end) if self.fade_end else None

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
            raise Refused(f"{wide}x{high} pixels are too many; ask for a smaller size.")
        if self.paints and wide * high / min(1, self.scale) ** 2 > limits().max_pixels:
            raise Refused(f"{wide}x{high} pixels are too many at a scale of {self.scale:g}; ask for a larger one.")
        if self.paints and min(wide, high) / max(1, self.scale) < SMALLEST:
            least = round(SMALLEST * max(1, self.scale))
            raise Refused(f"{wide}x{high} pixels are too few; a filter needs {least} on both sides.")
        return wide, high

    @property
    def texture(self) -> catalogue.Filter:
        """The filter, with the model or blended with those that it is asked for. Raises Refused if it cannot be."""
        filter, whole = catalogue.get(self.filter, self.documents).with_model(self.model), 1.0
        for name, weight in map(_part, self.blend):
            whole += weight
            filter = filter.blended(catalogue.get(name, self.documents), weight / whole)
        return filter

    @property
    def layers(self) -> Layers:
        """The filters that change pixels, with their strengths, in the order in which they are laid over a frame."""
        return _visible([(self.texture, self.strength), *self._named(self.then)])

    @property
    def later_layers(self) -> Layers:
        """The same of what the video fades to, if it does."""
        return _visible(self._named(self.fade_to))

    def _named(self, texts: list[str]) -> Layers:
        return [(catalogue.get(name, self.documents), strength) for name, strength in map(_layer, texts)]

    @property
    def names_remote(self) -> bool:
        """Whether any of the further filters paints elsewhere, however weakly."""
        return any(one.remote for one, _ in self._named([*self.then, *self.fade_to]))

    @property
    def mask_box(self) -> tuple[float, float, float, float] | None:
        """Left, top, width and height of the mask in percent, if it is a box. Raises Refused for one that is empty."""
        return box_of(self.mask) if self.mask else None

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
        return bool(self.layers or self.later_layers)


def _visible(layers: Layers) -> Layers:
    return [(one, strength) for one, strength in layers if strength > 0 and one.name != catalogue.IDENTITY]


def _refuse_if_empty(what: str, start: str | None, end: str | None) -> None:
    if start and end and seconds_of(start) >= seconds_of(end):
        raise Refused(f"The {what} from {start} to {end} is empty; let it end after it starts.")


def _layer(text: str) -> tuple[str, float]:
    """NAME or NAME:STRENGTH as both. Raises Refused for what is no strength."""
    return name_and_number(text, 0, 1, "oil:0.5")


def _part(text: str) -> tuple[str, float]:
    """NAME or NAME:WEIGHT as both. Raises Refused for what is no weight."""
    return name_and_number(text, 0, MOST_WEIGHT, "sea-mist:0.5")
