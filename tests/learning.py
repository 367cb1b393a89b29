"""What training takes, made by the tests: a painting, photos, and a VGG16 with weights drawn by chance.

Features drawn by chance tell textures apart too (Ustyuzhaninov et al., 2016), which is all that these tests need.
"""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

CHANNELS = {1: [64, 64], 2: [128, 128], 3: [256, 256, 256], 4: [512, 512, 512]}


def picture(seed: int, size: tuple[int, int] = (150, 120)) -> np.ndarray:
    """Soft patches of colour, (height, width, 3), uint8."""
    noise = np.random.default_rng(seed).integers(0, 256, (12, 15, 3), np.uint8)
    return cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC)


def make_vgg(path: Path) -> Path:
    chance, before, arrays = np.random.default_rng(0), 3, {}
    for block, widths in CHANNELS.items():
        for number, width in enumerate(widths, 1):
            deviation = (2 / (9 * before)) ** 0.5
            arrays[f"conv{block}_{number}.weight"] = chance.normal(0, deviation, (width, before, 3, 3)).astype("f2")
            arrays[f"conv{block}_{number}.bias"] = np.zeros(width, "f2")
            before = width
    np.savez(path, **arrays)
    return path


def small_training(folder: Path) -> dict[str, object]:
    """The fields of a request for a small training, with what it learns from made in a folder."""
    (folder / "photos").mkdir()
    for number in range(3):
        Image.fromarray(picture(number)).save(folder / "photos" / f"{number}.png")
    stripes = np.zeros((140, 140, 3), np.uint8)
    stripes[::8], stripes[4::8] = (230, 60, 20), (20, 60, 200)
    Image.fromarray(stripes).save(folder / "painting.png")
    return {
        "styles": [str(folder / "painting.png")],
        "content": [str(folder / "photos")],
        "name": "stripes",
        "vgg": str(make_vgg(folder / "vgg16.npz")),
        "steps": 40,
        "crop": 64,
        "channels": 12,
    }
