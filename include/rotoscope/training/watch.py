"""What can be seen of a training while it runs: its losses as curves, and photos as the network paints them by then."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from rotoscope.engines import Frame

SAMPLES = 3
SIZE = (384, 256)
CURVES = (("content", "#1f77b4"), ("style", "#d62728"), ("unsteadiness", "#2ca02c"))
GAP, HEIGHT, FONT = 8, 160, 14
LABEL = 220
"""Pixels from one curve's label to the next."""
LOWEST = 1e-4
"""Curves are drawn by their logarithm."""


def sample_picture(
    losses: Sequence[Sequence[float]], photos: Sequence[Frame], paint: Callable[[Frame], Frame]
) -> Image.Image:
    """Some of the photos, below them as they are painted now, and below that the curves of the losses so far.

    losses: content, style and unsteadiness, by time.
    """
    chosen = [fitted(photos[place]) for place in spread(len(photos), SAMPLES)]
    rows = [chosen, [np.asarray(paint(photo)) for photo in chosen]]
    width, height = SIZE
    sheet = Image.new("RGB", (SAMPLES * (width + GAP) + GAP, 2 * (height + GAP) + HEIGHT + 2 * GAP), "white")
    for row, pictures in enumerate(rows):
        for column, picture in enumerate(pictures):
            sheet.paste(Image.fromarray(picture), (GAP + column * (width + GAP), GAP + row * (height + GAP)))
    _draw(ImageDraw.Draw(sheet), losses, (GAP, 2 * (height + GAP) + GAP, sheet.width - GAP, sheet.height - GAP))
    return sheet


def _draw(draw: ImageDraw.ImageDraw, losses: Sequence[Sequence[float]], box: tuple[int, int, int, int]) -> None:
    """Labels in a line, and the curves in the box below it."""
    left, line, right, bottom = box
    top = line + FONT + GAP
    draw.rectangle((left, top, right, bottom), outline="#ccc")
    logs = np.log(np.maximum(np.array(losses, float), LOWEST))
    heights = (logs - logs.min()) / max(np.ptp(logs), LOWEST)
    across = np.linspace(left, right, len(logs))
    font = ImageFont.load_default(size=FONT)
    for place, (name, colour) in enumerate(CURVES):
        points = list(zip(across.tolist(), (bottom - heights[:, place] * (bottom - top)).tolist(), strict=True))
        if len(points) > 1:
            draw.line(points, fill=colour, width=2)
        draw.text((left + place * LABEL, line), f"{name} {losses[-1][place]:.3f}", colour, font)


def spread(pictures: int, wanted: int) -> list[int]:
    """Places all over so many pictures, from the first to the last."""
    return [round(place) for place in np.linspace(0, pictures - 1, wanted)]


def fitted(photo: Frame) -> Frame:
    """The middle of a photo, as large as a sample."""
    width, height = SIZE
    scale = max(width / photo.shape[1], height / photo.shape[0])
    size = max(width, round(photo.shape[1] * scale)), max(height, round(photo.shape[0] * scale))
    large = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return np.ascontiguousarray(large[top : top + height, left : left + width])
