"""The network that is trained: small and feed-forward, any size in, the same size out.

After Johnson et al., Perceptual Losses for Real-Time Style Transfer (ECCV 2016), with the instance normalisation of
Ulyanov et al. (2016), and with nearest-neighbour steps up, which leave no checkerboard (Odena et al., Distill 2016).
"""

import torch
from torch import Tensor, nn

BLOCKS = 4
WIDE_KERNEL = 5


def network(channels: int) -> nn.Module:
    """A network with so many channels in its middle: RGB (n, 3, h, w), 0..1, in and out; h and w divide by 4."""
    outer, inner = channels // 3, channels * 2 // 3
    return nn.Sequential(
        *_convolved(3, outer, WIDE_KERNEL),
        *_convolved(outer, inner, stride=2),
        *_convolved(inner, channels, stride=2),
        *(_Residual(channels) for _ in range(BLOCKS)),
        nn.Upsample(scale_factor=2),
        *_convolved(channels, inner),
        nn.Upsample(scale_factor=2),
        *_convolved(inner, outer),
        _convolution(outer, 3, WIDE_KERNEL),
        nn.Sigmoid(),
    )


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        first, second = (_convolution(channels, channels) for _ in range(2))
        norms = (nn.InstanceNorm2d(channels, affine=True) for _ in range(2))
        self.change = nn.Sequential(first, next(norms), nn.ReLU(), second, next(norms))

    def forward(self, features: Tensor) -> Tensor:
        """The features with what the block changes in them."""
        return features + torch.as_tensor(self.change(features))


def _convolved(before: int, after: int, kernel: int = 3, stride: int = 1) -> list[nn.Module]:
    return [_convolution(before, after, kernel, stride), nn.InstanceNorm2d(after, affine=True), nn.ReLU()]


def _convolution(before: int, after: int, kernel: int = 3, stride: int = 1) -> nn.Module:
    """With mirrored borders: zeros would darken the edge of the picture."""
    return nn.Conv2d(before, after, kernel, stride, padding=kernel // 2, padding_mode="reflect")
