"""Style: a filter made of one picture, in a second."""

import hashlib
import json
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from rotoscope import engines
from rotoscope.engines import Frame
from rotoscope.errors import Refused
from rotoscope.fields import validated
from rotoscope.filters.catalogue import Filter, Weights, catalogue
from rotoscope.media.pictures import beside, save
from rotoscope.media.probe import file_facts
from rotoscope.media.still import MOST_BYTES, BadPicture, decode_picture, in_eight_bits
from rotoscope.store.filters import LONGEST, is_name

PACK = Path(__file__).resolve().parents[1] / "arbitrary.json"
SMALLEST = 32
"""Pixels of a side below which a picture has no texture."""
SCENE = (640, 360)


class StyleRequest(BaseModel):
    """Of which picture a filter shall be made. `StyleRequest.parse` refuses bad values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    picture: str = Field(
        title="Picture",
        description="PNG, JPEG or WebP: its path, as the machine that runs the tasks sees it, or its URL.",
    )
    name: str = Field(
        title="Name", description="Of the new filter: small letters and digits, with hyphens between words."
    )
    sentence: str | None = Field(
        default=None, max_length=200, title="Sentence", description="What it looks like, for people."
    )

    @classmethod
    def parse(cls, fields: dict[str, Any]) -> Self:
        """The request in these fields. Raises Refused with one sentence for each bad value."""
        return named(validated(cls, fields))


class Named(Protocol):
    """A request for a new filter of this name."""

    @property
    def name(self) -> str: ...


New = TypeVar("New", bound=Named)


def named(request: New) -> New:
    """The request, if a new filter can be called so. Raises Refused otherwise."""
    if not is_name(request.name):
        raise Refused(
            f"{request.name!r} is no name for a filter; write small letters and digits with hyphens between "
            f"words, {LONGEST} at most, such as blue-harvest."
        )
    if request.name in catalogue():
        raise Refused(f"The filter {request.name} is built in; choose another name.")
    return request


def read_picture(path: Path, name: str) -> tuple[Frame, str]:
    """A style's picture, RGB of shape (height, width, 3), uint8, and the SHA-256 of its file.

    name: what users call it. Raises Refused for what is no picture that can be used.
    """
    if file_facts(path)[0] > MOST_BYTES:
        raise Refused(f"{name} has more than {MOST_BYTES} bytes; make the picture smaller.")
    content = path.read_bytes()
    try:
        picture = decode_picture(content)
    except BadPicture as bad:
        raise Refused(f"{name} cannot be a style: {bad}. Give a PNG, JPEG or WebP picture.") from None
    height, width, _ = picture.shape
    if min(height, width) < SMALLEST:
        raise Refused(f"{name} has {width}x{height} pixels, too few for a texture; give {SMALLEST} a side at least.")
    return in_eight_bits(picture), hashlib.sha256(content).hexdigest()


def filter_of(picture: Frame, sha256: str, name: str, sentence: str | None = None) -> Filter:
    """The filter that paints in a picture's style. sha256: of the picture's file, for the filter's origin."""
    pack = json.loads(PACK.read_text())
    vector = engines.style_vector(picture, Weights(**pack["style"]))
    return Filter(
        name=name,
        title=name.rpartition(".")[2].replace("-", " ").title(),
        sentence=sentence or "Made of a picture.",
        version="1",
        origin=f"Style of the picture with the SHA-256 {sha256}, found by {pack['origin']}",
        parameters={"vector": vector},
        **pack["filter"],
    )


def save_preview(filter: Filter, picture: Frame, path: Path, threads: int) -> None:
    """Write a JPEG of a style's picture with a scene that its filter painted."""
    painted = engines.load(filter, threads)(scene())
    left = Image.fromarray(picture)
    left.thumbnail(SCENE, Image.Resampling.LANCZOS)
    save(np.asarray(beside(left, Image.fromarray(painted))), path)


def scene() -> Frame:
    """A landscape of 640x360, RGB, uint8, drawn: sky and sun, two ridges, a lake that mirrors them; plain and busy."""
    width, height = SCENE
    x, y = np.meshgrid(np.linspace(0, 16 / 9, width), np.linspace(0, 1, height))
    horizon = 0.62
    depth = np.maximum(y - horizon, 0)
    above = np.where(depth > 0, horizon - depth + 0.008 * np.sin(900 * depth**0.7 + 9 * x), y)
    drawn = np.stack([120 + 130 * above, 160 + 60 * above, 225 - 40 * above], axis=-1)
    drawn[np.hypot(x - 1.25, above - 0.3) < 0.09] = (255, 236, 170)
    grain = np.random.default_rng(7).normal(0, 14, (height, width, 1))
    for base, rise, colour in ((0.46, 0.13, (92, 104, 140)), (0.56, 0.09, (58, 92, 62))):
        ridge = base - rise * (0.5 * np.sin(5 * x + 20 * base) + 0.3 * np.sin(13 * x) + 0.12 * np.sin(41 * x + base))
        drawn = np.where((above > ridge)[..., None], np.array(colour) + 90 * (above - ridge)[..., None] + grain, drawn)
    drawn = np.where((y > horizon)[..., None], drawn * 0.75 + np.array((4, 18, 34)), drawn)
    landscape: Frame = np.clip(drawn + grain / 3, 0, 255).astype(np.uint8)  # a sky without grain comes out in bands
    return landscape
