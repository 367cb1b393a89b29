"""Output formats: data files in include/formats, one each. Adding a format is adding a file."""

from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, field_validator, model_validator

from rotoscope.errors import Refused

FOLDER = Path(__file__).resolve().parents[1] / "formats"

Options = dict[str, str | int]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$")]

ENCODERS = {
    *("libx264", "libx265", "libvpx-vp9", "libsvtav1", "prores_ks", "ffv1", "gif", "libwebp_anim", "png"),
    *("aac", "libopus", "flac", "pcm_s16le", "mov_text", "webvtt", "srt"),
}
OPTIONS = {
    *("c", "vcodec", "b", "b:v", "crf", "qp", "preset", "profile:v", "tag:v", "g", "level", "slices", "quality"),
    *("cpu-used", "deadline", "row-mt", "lossless", "compression_level", "loop", "movflags", "strict"),
    *("x264-params", "x265-params", "svtav1-params"),
}
PARAMETERS = {"fps", "fps-num", "fps-denom", "open-gop", "log-level"}
"""What may stand in `x264-params` and the like, which could also name files to write."""


class Strict(BaseModel):
    """A part of a data file: nothing unknown, nothing changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Quality(Strict):
    """The encoder's own scale for quality, such as CRF. On some of them the best is the smallest number."""

    option: Literal["crf", "quality"]
    default: int
    best: int
    worst: int


class Speed(Strict):
    """The encoder's own names for how long it searches."""

    option: Literal["preset", "cpu-used", "compression_level"]
    default: Word
    choices: list[Word]


class Format(Strict):
    """How painted frames and what passes around the filters become one file. Options are ffmpeg's own names.

    joined: painted chunks are encoded like this, and joined by copy; otherwise they are lossless, and encoded together.
    pixel_formats: the nearest to the source's is used; more_pixel_formats: those that may be asked for as well.
    smallest: pixels that a side needs; palette: frames get 256 colours each; tick: seconds to which the container
    rounds times, if it does; holds: codecs that are copied, by kind of stream, "*" for all; converts: into what the
    others of a kind are turned.
    """

    name: Word
    title: str
    sentence: str
    extension: Word
    muxer: Literal["mp4", "mov", "matroska", "webm", "gif", "webp", "zip"]
    joined: bool = True
    video: Options
    quality: Quality | None = None
    speed: Speed | None = None
    pixel_formats: list[Word]
    more_pixel_formats: list[Word] = []
    smallest: int = 2
    odd_sizes: bool = False
    palette: bool = False
    muxer_options: Options = {}
    tick: str | None = None
    holds: dict[str, list[str]] = {}
    converts: dict[str, Options] = {}

    @field_validator("video", "muxer_options")
    @classmethod
    def _known(cls, options: Options) -> Options:
        """No option that could read or write another file."""
        for name, value in options.items():
            if name not in OPTIONS:
                raise ValueError(f"{name} is not an option that a format may set")
            if (
                name.endswith("-params")
                and not {part.partition("=")[0] for part in str(value).split(":")} <= PARAMETERS
            ):
                raise ValueError(f"{name} may set {', '.join(sorted(PARAMETERS))} only")
        return options

    @model_validator(mode="after")
    def _encoders(self) -> Self:
        for options in (self.video, *self.converts.values()):
            self._known(options)
            if "c" in self.video:
                raise ValueError("the encoder of the pictures may be named by vcodec only")
            if str(options.get("vcodec", options.get("c"))) not in ENCODERS:
                raise ValueError(f"{options} names no encoder that a format may use")
        return self

    def encoder(self, quality: int | None, speed: str | None, fps: Fraction) -> Options:
        """Ffmpeg's options for the pictures. Raises Refused for a quality or a speed that the format does not have."""
        options = dict(self.video)
        if self.quality is not None:
            options[self.quality.option] = self._quality(self.quality, quality)
        elif quality is not None:
            raise Refused(f"The format {self.name} has no quality to set; leave it out.")
        if self.speed is not None:
            if speed is not None and speed not in self.speed.choices:
                raise Refused(f"speed is {speed!r}; for {self.name} choose one of {', '.join(self.speed.choices)}.")
            options[self.speed.option] = speed or self.speed.default
        elif speed is not None:
            raise Refused(f"The format {self.name} has no speed to set; leave it out.")
        rate = {"fps": f"{fps.numerator}/{fps.denominator}", "fps_num": fps.numerator, "fps_denom": fps.denominator}
        return {name: value.format(**rate) if isinstance(value, str) else value for name, value in options.items()}

    def _quality(self, scale: Quality, asked: int | None) -> int:
        low, high = sorted((scale.best, scale.worst))
        if asked is not None and not low <= asked <= high:
            raise Refused(f"quality is {asked}; for {self.name} it goes from {scale.best} (best) to {scale.worst}.")
        return scale.default if asked is None else asked

    def check(self, quality: int | None, speed: str | None, pixel_format: str | None) -> None:
        """Raises Refused for what the format does not have."""
        self.encoder(quality, speed, Fraction(25))
        offered = [*self.pixel_formats, *self.more_pixel_formats]
        if pixel_format is not None and pixel_format not in offered:
            raise Refused(f"pixel_format is {pixel_format!r}; for {self.name} choose one of {', '.join(offered)}.")

    def can_hold(self, kind: str, codec: str | None) -> bool:
        """Whether a stream of this codec is copied into the file."""
        held = self.holds.get(kind, [])
        return "*" in held or codec in held


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
    for one in formats().values():
        if one.extension == extension and one.name.partition("-")[0] == one.name:
            return one
    known = ", ".join(sorted({f".{one.extension}" for one in formats().values()}))
    raise Refused(f"Files ending in {path.suffix or 'nothing'} cannot be written; end the name in one of {known}.")
