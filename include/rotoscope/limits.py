"""Limits: how much a source and the processes that read it may take. Each can be set by an environment variable."""

from functools import cache
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Any

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from rotoscope.errors import RotoscopeError

GIB = 2**30


class Limits(BaseSettings):
    """A field is read from the variable of its name: `ROTOSCOPE_MAX_FRAMES=100000` sets `max_frames`."""

    model_config = SettingsConfigDict(env_prefix="ROTOSCOPE_", frozen=True)

    max_pixels: int = Field(default=8192 * 4320, gt=0, description="Pixels of one picture.")
    max_seconds: float = Field(default=12 * 3600, gt=0, description="Length of a source, in seconds.")
    max_frames: int = Field(default=2_592_000, gt=0, description="Frames of a source: 12 hours at 60 a second.")
    max_streams: int = Field(default=64, gt=0, description="Streams of a source.")
    max_video_pixels: int = Field(
        default=6 * 10**12, gt=0, description="Pixels of all pictures together: 12 hours of 1080p at 60 a second."
    )
    probe_seconds: float = Field(default=60, gt=0, description="What looking at a source's header may take.")
    child_seconds: float = Field(default=6 * 3600, gt=0, description="What any ffmpeg or ffprobe process may take.")
    child_cpu_seconds: int = Field(default=48 * 3600, gt=0, description="Processor time of such a process.")
    child_memory_bytes: int = Field(
        default=4 * GIB, gt=0, description="Its address space, beside that for its pictures and for each processor."
    )
    child_file_bytes: int = Field(default=1024 * GIB, gt=0, description="The largest file that it may write.")
    fetch_bytes: int = Field(default=64 * GIB, gt=0, description="The largest source that is fetched from a URL.")
    fetch_seconds: float = Field(default=6 * 3600, gt=0, description="What fetching a source may take.")
    fetch_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        default=(), description="Networks that are not public and that sources may still come from, after commas."
    )

    @field_validator("fetch_networks", mode="before")
    @classmethod
    def _after_commas(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


@cache
def limits() -> Limits:
    """The limits of this process. Raises RotoscopeError if the environment has one that is none."""
    try:
        return Limits()
    except ValidationError as error:
        name = f"ROTOSCOPE_{str(error.errors()[0]['loc'][0]).upper()}"
        raise RotoscopeError(f"The variable {name} cannot be used: {error.errors()[0]['msg']}.") from None
