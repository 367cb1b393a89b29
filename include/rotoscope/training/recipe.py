"""The recipe of a trained filter: from which paintings, on which photos, how long, and how it is weighed."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from rotoscope.fields import validated
from rotoscope.style import named

MOST_STYLES = 8


class TrainRequest(BaseModel):
    """What filter shall be trained. `TrainRequest.parse` refuses bad values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    styles: list[str] = Field(
        min_length=1,
        max_length=MOST_STYLES,
        title="Paintings",
        description="PNG, JPEG or WebP, a line each: a path or a URL. Of several, the filter takes what they share.",
    )
    content: list[str] = Field(
        min_length=1,
        title="Photos",
        description="What it learns to paint, a line each: pictures, folders of pictures, videos; paths or URLs.",
    )
    name: str = Field(
        title="Name", description="Of the new filter: small letters and digits, with hyphens between words."
    )
    sentence: str | None = Field(
        default=None, max_length=200, title="Sentence", description="What it looks like, for people."
    )
    steps: int = Field(
        default=2000, ge=10, le=200_000, title="Steps", description="How long: 2,000 take some ten minutes on 2 cores."
    )
    style_weight: float = Field(
        default=9.0, gt=0, le=100, title="Style's weight", description="More is more paint and less of the photo."
    )
    steadiness: float = Field(
        default=1.0, ge=0, le=100, title="Steadiness", description="More flickers less, and has fewer fine strokes."
    )
    style_pixels: int = Field(
        default=640,
        ge=128,
        le=2048,
        title="Paintings' size",
        description="Longer side, in pixels: less, finer strokes.",
    )
    crop: int = Field(
        default=192, ge=64, le=512, multiple_of=32, title="Crop", description="Side of the parts of photos, in pixels."
    )
    channels: int = Field(
        default=48, ge=12, le=192, multiple_of=12, title="Channels", description="The network's width; more is slower."
    )
    seed: int = Field(default=1, ge=0, lt=2**63, title="Seed", description="Of chance.")
    vgg: str | None = Field(
        default=None,
        title="VGG16",
        description="Path of its weights, .pth as torchvision has them or .npz; empty fetches torchvision's.",
    )

    @classmethod
    def parse(cls, fields: dict[str, Any]) -> Self:
        """The request in these fields. Raises Refused with one sentence for each bad value."""
        return named(validated(cls, fields))
