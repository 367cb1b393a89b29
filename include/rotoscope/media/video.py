"""What is known of a video: the manifest, a JSON document that is written once and never changes."""

from fractions import Fraction
from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from rotoscope.media.timing import Run, expand

ARBITRARY_CLOCKS = ("mpegts", "mpeg")
"""Containers of broadcasts, whose clock begins anywhere (even at 26 hours) and means nothing."""


class Colour(BaseModel):
    """Colour tags in ffmpeg's names; None where the file does not say."""

    model_config = ConfigDict(frozen=True)

    matrix: str | None = None
    primaries: str | None = None
    transfer: str | None = None
    range: str | None = None


class OtherStream(BaseModel):
    """A stream that passes around the filters."""

    model_config = ConfigDict(frozen=True)

    index: int
    kind: str = Field(description="audio, subtitle, data, attachment, cover, empty; video for a further one.")
    codec: str | None
    language: str | None = None


JUMPS = "its clock jumps back"


class Cut(BaseModel):
    """How segments are cut out of a source, and why not by copy."""

    model_config = ConfigDict(frozen=True)

    method: Literal["copy", "lossless"] = "copy"
    reason: str | None = None


class Video(BaseModel):
    """A source as ffprobe sees it. Frames are in presentation order; times are in ticks of `time_base`.

    Where `cut` is lossless, frames and times are those of the source's lossless copy, since its own cannot be used.
    """

    model_config = ConfigDict(frozen=True)

    schema_version: Literal[1] = 1
    sha256: str = Field(description="SHA-256 of the file's bytes, in hexadecimal.")
    name: str = Field(description="The file's name when it was registered.")
    size_bytes: int
    container: str
    start_time: float = Field(description="The first timestamp of any stream, in seconds.")
    duration: float = Field(description="Seconds, as the container says.")
    stream: int = Field(description="Index of the video stream in the file.")
    codec: str
    pixel_format: str
    width: int = Field(description="Pixels as stored, before rotation.")
    height: int
    rotation: Literal[0, 90, 180, 270] = Field(description="Degrees clockwise that a player turns the picture.")
    mirrored: bool = Field(default=False, description="Whether a player shows left and right exchanged.")
    sample_aspect_ratio: str
    field_order: str = Field(default="progressive", description="progressive, or which lines of a frame come first.")
    colour: Colour
    time_base: str = Field(description='Seconds a tick, as a fraction: "1/12800".')
    frames: int
    timestamps: list[Run] = Field(description="All frames' timestamps as runs [first, step, count].")
    last_duration: int = Field(description="Ticks that the last frame is shown.")
    language: str | None = None
    title: str | None = Field(default=None, description="Of the video stream.")
    others: list[OtherStream]
    cut: Cut = Cut()

    @property
    def demuxer(self) -> str:
        """Ffmpeg's name for the container."""
        return self.container.partition(",")[0]

    @property
    def tick(self) -> Fraction:
        """Seconds a tick."""
        return Fraction(self.time_base)

    @property
    def origin(self) -> int:
        """The timestamp, in ticks, that players show as the beginning: zero, but where a clock begins elsewhere."""
        if self.cut.method == "lossless" or self.demuxer not in ARBITRARY_CLOCKS:
            return min(0, self.pts[0])
        return round(Fraction(str(self.start_time)) / self.tick)

    @property
    def clock_start(self) -> Fraction:
        """Seconds on the file's clock at which that of the pictures begins; a lossless copy has one of its own."""
        return Fraction(str(self.start_time)) if self.cut.method == "lossless" and not self.is_mended else Fraction(0)

    @property
    def is_mended(self) -> bool:
        """Whether sound comes from the lossless copy too, since only there it has the pictures' clock."""
        return self.cut.reason == JUMPS

    @cached_property
    def pts(self) -> list[int]:
        """Timestamp of each frame in ticks."""
        return expand(self.timestamps)

    @property
    def upright_size(self) -> tuple[int, int]:
        """(width, height) in pixels as a viewer sees it, after rotation."""
        return (self.height, self.width) if self.rotation in (90, 270) else (self.width, self.height)

    @property
    def interlaced(self) -> bool:
        """Whether a frame's lines were taken at two moments."""
        return self.field_order not in ("progressive", "unknown")

    @property
    def sound(self) -> list[OtherStream]:
        """The sound streams, in the file's order."""
        return [other for other in self.others if other.kind == "audio"]
