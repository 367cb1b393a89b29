"""Structural similarity: Wang et al., Image Quality Assessment, IEEE Transactions on Image Processing 13 (2004)."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

WINDOW, SIGMA = (11, 11), 1.5
K1, K2 = 0.01, 0.03


def ssim(one: NDArray[Any], other: NDArray[Any]) -> float:
    """The mean SSIM of two grey pictures, uint8 of the same shape (height, width): 1.0 if they are equal."""
    a, b = one.astype(np.float64), other.astype(np.float64)
    mean_a, mean_b = _blur(a), _blur(b)
    variance_a = _blur(a * a) - mean_a**2
    variance_b = _blur(b * b) - mean_b**2
    covariance = _blur(a * b) - mean_a * mean_b
    c1, c2 = (K1 * 255) ** 2, (K2 * 255) ** 2
    above = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    below = (mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2)
    return float((above / below).mean())


def _blur(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(cv2.GaussianBlur(picture, WINDOW, SIGMA), np.float64)
