"""How good a trained filter is: content kept, style reached, steadiness, speed, and whether its file is right."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict

from rotoscope import engines
from rotoscope.engines import Frame, Paint
from rotoscope.filters.catalogue import Filter
from rotoscope.media.pictures import save
from rotoscope.painting import best_seconds
from rotoscope.quality.similarity import ssim
from rotoscope.training.trainer import Trainer
from rotoscope.training.watch import fitted, spread

LOOKED_AT = 12
"""Photos that are measured."""
TRIAL = (360, 640)
NOISE = 3.0
"""Levels of 255 by which a second look at a photo differs, as a camera's noise does."""
COLUMNS, GAP = 4, 8


class Evaluation(BaseModel):
    """What was measured of a filter, means over photos of the training.

    structure: SSIM of painted and unpainted photos' light, 1 for the same; style: distance from the paintings' style,
    as a share of the photos' own; unsteadiness: how many times as much a painted photo changes when noise is laid over
    the photo; frames_a_second: painted at 640x360 with `threads` threads; difference: mean one between what PyTorch and
    the ONNX file paint, in 0..1.
    """

    model_config = ConfigDict(frozen=True)

    structure: float
    style: float
    unsteadiness: float
    frames_a_second: float
    threads: int
    difference: float


def measure(trainer: Trainer, filter: Filter, photos: Sequence[Frame], threads: int, sheet: Path) -> Evaluation:
    """Measure a filter whose file is at hand, and write a JPEG of photos beside what it makes of them."""
    # Not with PyTorch on a GPU, which the file is compared with.
    paint = engines.load(filter, threads, gpu=False)
    trial = np.random.default_rng(0).integers(0, 256, (*TRIAL, 3), np.uint8)
    chosen = [fitted(photos[place]) for place in spread(len(photos), min(LOOKED_AT, len(photos)))]
    painted = [paint(photo) for photo in chosen]
    _save_sheet(chosen, painted, sheet)
    return Evaluation(
        structure=_mean([ssim(_light(one), _light(other)) for one, other in zip(chosen, painted, strict=True)]),
        style=_mean([trainer.distance(one) for one in painted]),
        unsteadiness=_mean([_unsteadiness(paint, one, other) for one, other in zip(chosen, painted, strict=True)]),
        frames_a_second=round(1 / best_seconds(paint, trial), 1),
        threads=threads,
        difference=_mean([_difference(trainer.paint(one), other) for one, other in zip(chosen, painted, strict=True)]),
    )


def _mean(numbers: Sequence[float]) -> float:
    return round(float(np.mean(numbers)), 5)


def _light(frame: Frame) -> Frame:
    return np.asarray(Image.fromarray(frame).convert("L"))


def _difference(one: Frame, other: Frame) -> float:
    return float(np.abs(one.astype(np.float32) - other).mean() / 255)


def _unsteadiness(paint: Paint, photo: Frame, painted: Frame) -> float:
    noise = np.random.default_rng(0).normal(0, NOISE, photo.shape)
    again = np.clip(photo + noise, 0, 255).astype(np.uint8)
    return _difference(paint(again), painted) / _difference(again, photo)


def _save_sheet(photos: Sequence[Frame], painted: Sequence[Frame], path: Path) -> None:
    """Photos in rows, each row with what was painted below it."""
    height, width, _ = photos[0].shape
    lines = -(-len(photos) // COLUMNS)
    sheet = np.full((2 * lines * (height + GAP) + GAP, COLUMNS * (width + GAP) + GAP, 3), 255, np.uint8)
    for place, pair in enumerate(zip(photos, painted, strict=True)):
        for below, picture in enumerate(pair):
            top = GAP + (2 * (place // COLUMNS) + below) * (height + GAP)
            left = GAP + place % COLUMNS * (width + GAP)
            sheet[top : top + height, left : left + width] = picture
    save(sheet, path)
