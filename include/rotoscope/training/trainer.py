"""Training, step by step, of a network that paints in the style of some paintings."""

import io
from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
import torch
from torch import Tensor

from rotoscope.engines import Frame
from rotoscope.training.losses import (
    Vgg,
    content_loss,
    load_vgg,
    mean_style,
    roughness,
    steadiness_loss,
    style_loss,
)
from rotoscope.training.network import network
from rotoscope.training.parts import SHIFT, part
from rotoscope.training.recipe import TrainRequest
from rotoscope.training.watch import fitted, spread

RATE, LAST_RATE = 2e-3, 1e-4
"""Of learning, at first and at the end."""
ROUGHNESS = 2.0
"""Weight of what makes a picture smooth."""
NOISE, GLARE = 0.02, 0.03
"""Of 0..1: what a second look at the same thing differs by, pixel by pixel and as a whole."""
YARDSTICK = 8
"""Photos whose distance from the style is what a step's is compared with, so that all paintings weigh the same."""
CONTENT_BLOCKS = 3
"""Blocks of VGG16 that a photo's content takes."""


@dataclass(frozen=True)
class Losses:
    """What a step measured, each 0 for perfect."""

    content: float
    style: float
    unsteadiness: float

    @property
    def numbers(self) -> list[float]:
        """All three, rounded."""
        return [round(one, 5) for one in astuple(self)]


class Trainer:
    """A network being trained. What a step sees depends on the seed and the step alone, so training can go on anywhere.

    paintings, photos: RGB of shape (height, width, 3), uint8; a photo's sides are longer than the recipe's crops.
    """

    def __init__(self, recipe: TrainRequest, paintings: Sequence[Frame], photos: Sequence[Frame]) -> None:
        torch.manual_seed(recipe.seed)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network = network(recipe.channels).to(self.device, memory_format=torch.channels_last)
        self.done = 0
        self._recipe, self._photos = recipe, photos
        self._vgg: Vgg = load_vgg(recipe.vgg, self.device)
        self._style = mean_style(self._vgg, [self._tensor(one) for one in paintings])
        chosen = [photos[place] for place in spread(len(photos), YARDSTICK)]
        self._unpainted = float(np.mean([self._style_loss(fitted(photo)) for photo in chosen]))
        self._optimiser = torch.optim.Adam(self.network.parameters(), RATE)
        self._schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self._optimiser, recipe.steps, LAST_RATE)

    def step(self) -> Losses:
        """Learn from one part of a photo, seen twice."""
        chance = np.random.default_rng((self._recipe.seed, self.done))
        photo, again, (down, right) = self._looks(chance)
        painted = self.network(torch.cat([photo, again]))
        first, second = painted[:1], painted[1:]
        seen = self._vgg.features(first)
        with torch.no_grad():
            wanted = self._vgg.features(photo, CONTENT_BLOCKS)
        content, style = content_loss(seen, wanted), style_loss(seen, self._style) / self._unpainted
        unsteady = steadiness_loss(_overlap(first, down, right), _overlap(second, -down, -right))
        loss = content + self._recipe.style_weight * style + self._recipe.steadiness * unsteady
        self._optimiser.zero_grad()
        (loss + ROUGHNESS * roughness(first)).backward()
        self._optimiser.step()
        self._schedule.step()
        self.done += 1
        return Losses(content.item(), style.item(), unsteady.item())

    def paint(self, frame: Frame) -> Frame:
        """An RGB frame, uint8, as the network paints it now; its sides are cut to multiples of 4."""
        height, width, _ = frame.shape
        with torch.no_grad():
            painted = self.network(self._tensor(frame[: height // 4 * 4, : width // 4 * 4]))[0]
        pixels: Frame = (painted.permute(1, 2, 0).clamp(0, 1) * 255 + 0.5).byte().cpu().numpy()
        return pixels

    def distance(self, frame: Frame) -> float:
        """How far a picture, RGB uint8, is from the style: 0 for not at all, 1 for as far as the photos are."""
        return self._style_loss(frame) / self._unpainted

    def state(self) -> bytes:
        """All that going on from here takes."""
        held = io.BytesIO()
        parts = {"network": self.network, "optimiser": self._optimiser, "schedule": self._schedule}
        torch.save({"done": self.done, **{name: one.state_dict() for name, one in parts.items()}}, held)
        return held.getvalue()

    def restore(self, state: bytes) -> None:
        """Go on from what `state` gave."""
        held = torch.load(io.BytesIO(state), map_location=self.device, weights_only=True)
        self.network.load_state_dict(held["network"])
        self._optimiser.load_state_dict(held["optimiser"])
        self._schedule.load_state_dict(held["schedule"])
        self.done = held["done"]

    def _style_loss(self, frame: Frame) -> float:
        with torch.no_grad():
            return float(style_loss(self._vgg.features(self._tensor(frame)), self._style))

    def _looks(self, chance: np.random.Generator) -> tuple[Tensor, Tensor, tuple[int, int]]:
        """A part of a photo, and the same again as a camera may see it a moment later, so many pixels away."""
        side = self._recipe.crop
        seen = self._tensor(part(self._photos[int(chance.integers(len(self._photos)))], side + 2 * SHIFT, chance))
        down, right = (int(way) for way in chance.integers(-SHIFT, SHIFT + 1, 2))
        photo, again = (
            seen[..., SHIFT + y : SHIFT + y + side, SHIFT + x : SHIFT + x + side] for y, x in ((0, 0), (down, right))
        )
        noise = torch.from_numpy(chance.normal(0, NOISE, tuple(again.shape)).astype(np.float32)).to(self.device)
        return photo, (again * (1 + chance.uniform(-GLARE, GLARE)) + noise).clamp(0, 1), (down, right)

    def _tensor(self, frame: Frame) -> Tensor:
        planes = torch.from_numpy(np.array(frame)).to(self.device).permute(2, 0, 1)[None].float() / 255
        return planes.contiguous(memory_format=torch.channels_last)


def _overlap(pictures: Tensor, down: int, right: int) -> Tensor:
    """What is also to be seen in a picture that was taken so many pixels further down and right."""
    height, width = pictures.shape[2:]
    return pictures[..., max(0, down) : height + min(0, down), max(0, right) : width + min(0, right)]
