"""What training makes small: how far a painted picture is from the photo's content and from the paintings' style.

Gatys et al., Image Style Transfer Using Convolutional Neural Networks (CVPR 2016), on the features of VGG16
(Simonyan and Zisserman, 2015). Each loss is a share of what it compares with, so that their weights mean the same for
all styles, and for weights of VGG16 that want other inputs.
"""

import hashlib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from rotoscope.errors import Refused, RotoscopeError

BLOCKS = (2, 2, 3, 3)
"""Convolutions between two poolings, up to the fourth block; the last of each gives features."""
CONTENT = 2
"""The block whose features say what is to be seen."""
NAMES = [f"conv{block}_{number}" for block, count in enumerate(BLOCKS, 1) for number in range(1, count + 1)]
TORCHVISION = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21]
"""The same convolutions among torchvision's `features`."""
TINY = 1e-8


@dataclass(frozen=True)
class Vgg:
    """VGG16 up to conv4_3. convolutions: (weights, bias); red_last: it wants BGR; mean, deviation: of its inputs."""

    convolutions: list[tuple[Tensor, Tensor]]
    red_last: bool
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]

    @property
    def sha256(self) -> str:
        """Of its numbers."""
        digest = hashlib.sha256()
        for one in (tensor for pair in self.convolutions for tensor in pair):
            digest.update(one.contiguous().cpu().numpy().tobytes())
        return digest.hexdigest()

    def features(self, pictures: Tensor, blocks: int = len(BLOCKS)) -> list[Tensor]:
        """What the first blocks see in pictures, RGB (n, 3, h, w), 0..1: (n, channels, h', w') each."""
        seen = pictures.flip(1) if self.red_last else pictures
        mean, deviation = (seen.new_tensor(one).view(1, 3, 1, 1) for one in (self.mean, self.deviation))
        seen = (seen - mean) / deviation
        found, rest = [], iter(self.convolutions)
        for block in range(blocks):
            if block:
                seen = functional.max_pool2d(seen, 2)
            for _ in range(BLOCKS[block]):
                seen = functional.relu(functional.conv2d(seen, *next(rest), padding=1))
            found.append(seen)
        return found


def load_vgg(place: str | None, device: torch.device) -> Vgg:
    """VGG16 from torchvision, which fetches it, or from a path.

    place: None, or the path of a file: `.npz` with arrays conv1_1.weight to conv4_3.bias, for BGR of 0..255 less the
    mean, or `.pth` with torchvision's weights. Raises Refused for a file that is neither, RotoscopeError if torchvision
    cannot fetch its own.
    """
    if place and place.endswith(".npz"):
        named = _caffes(Path(place))
        mean, deviation, red_last = (103.939 / 255, 116.779 / 255, 123.68 / 255), (1 / 255,) * 3, True
    else:
        named = _torchvisions(Path(place) if place else None)
        mean, deviation, red_last = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), False
    layout = torch.channels_last
    tensors = [one.detach().float().to(device).contiguous(memory_format=layout) for one in named[::2]]
    biases = [one.detach().float().to(device) for one in named[1::2]]
    return Vgg(list(zip(tensors, biases, strict=True)), red_last, mean, deviation)


def _caffes(path: Path) -> list[Tensor]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return [torch.from_numpy(arrays[f"{name}.{kind}"]) for name in NAMES for kind in ("weight", "bias")]
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        raise Refused(f"{path} does not hold the arrays conv1_1.weight to conv4_3.bias of VGG16.") from None


def _torchvisions(path: Path | None) -> list[Tensor]:
    if path is None:
        from torchvision.models import VGG16_Weights

        try:
            held = VGG16_Weights.IMAGENET1K_V1.get_state_dict(progress=False)
        except OSError as error:
            raise RotoscopeError(
                f"VGG16 could not be fetched ({error}); give the path of its weights in vgg."
            ) from None
    else:
        try:
            held = torch.load(path, map_location="cpu", weights_only=True)
        except Exception:
            raise Refused(f"{path} is no file of PyTorch weights that can be read; give VGG16's.") from None
    try:
        return [held[f"features.{place}.{kind}"] for place in TORCHVISION for kind in ("weight", "bias")]
    except (KeyError, TypeError):
        raise Refused(f"{path} does not hold torchvision's VGG16 (features.0.weight and on).") from None


def grams(features: Sequence[Tensor]) -> list[Tensor]:
    """Which features come together, and how strongly, wherever that is: the style. (n, channels, channels) each."""
    flat = [one.flatten(2) for one in features]
    return [one @ one.transpose(1, 2) / (one.shape[1] * one.shape[2]) for one in flat]


def mean_style(vgg: Vgg, paintings: Sequence[Tensor]) -> list[Tensor]:
    """What several paintings (1, 3, h, w), 0..1, have in common."""
    with torch.no_grad():
        each = [grams(vgg.features(painting)) for painting in paintings]
    return [torch.stack(layer).mean(0) for layer in zip(*each, strict=True)]


def content_loss(seen: Sequence[Tensor], photo: Sequence[Tensor]) -> Tensor:
    """How much of a photo's content is gone from a picture: 0 for nothing."""
    return _share(seen[CONTENT], photo[CONTENT])


def style_loss(seen: Sequence[Tensor], style: Sequence[Tensor]) -> Tensor:
    """How far a picture is from a style, 0 for not at all."""
    shares = [_share(one, other) for one, other in zip(grams(seen), style, strict=True)]
    return torch.stack(shares).mean()


def steadiness_loss(one: Tensor, other: Tensor) -> Tensor:
    """How different two paintings of the same things are, as a share of their contrast."""
    return (one - other).square().mean() / (one.var() + TINY)


def roughness(pictures: Tensor) -> Tensor:
    """Mean squared difference of neighbouring pixels."""
    return torch.stack([one.square().mean() for one in (pictures.diff(dim=2), pictures.diff(dim=3))]).sum()


def _share(one: Tensor, other: Tensor) -> Tensor:
    return (one - other).square().mean() / (other.square().mean() + TINY)
