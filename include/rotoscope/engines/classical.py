"""The engine `classical`: textures by arithmetic, without a network, some of them older than computers."""

from collections.abc import Callable
from functools import lru_cache, partial

import cv2
import numpy as np
from numpy.typing import NDArray

from rotoscope.engines import Computing, Frame, Paint
from rotoscope.errors import RotoscopeError
from rotoscope.filters.catalogue import Filter
from rotoscope.filters.chain import LUMA

Picture = NDArray[np.float32]
"""RGB, or one plane, of 0..1."""
SIZES = 4
"""Sizes of pictures whose screens and paper are kept."""
SCREENS = (15, 75, 0, 45)
"""Degrees by which the rows of dots are turned, for cyan, magenta, yellow and black, as printers turn them."""
BLACK_SHARE = 0.7
"""Of the grey in three inks, what black takes over."""
GRAIN = 0.35
"""How much the tooth of the paper shows in a shade of graphite."""
PAPER = np.array([0.98, 0.96, 0.91], np.float32)


def load(filter: Filter, how: Computing) -> Paint:
    """A painter with the filter's texture; the other parameters are its own. OpenCV shares out the threads, and without
    a network, `how` says nothing.

    Raises RotoscopeError if there is no such texture.
    """
    parameters = dict(filter.parameters)
    try:
        texture = TEXTURES[parameters.pop("texture")]
    except KeyError:
        raise RotoscopeError(f"Filter {filter.name!r} names no texture of {', '.join(TEXTURES)}.") from None
    return partial(_painted, texture=partial(texture, **parameters))


def halftone(picture: Picture, rows: int) -> Picture:
    """Dots of four inks on paper, `rows` of them in the shorter side; together they are as dark as the picture."""
    inks = 1 - picture
    black = BLACK_SHARE * inks.min(axis=2, keepdims=True)
    shares = np.concatenate([(inks - black) / (1 - black + 1e-6), black], axis=2)
    height, width, _ = picture.shape
    dots = min(height, width) / rows
    screens = _screens((height, width), dots)
    printed = np.clip((shares - screens) * dots + 0.5, 0, 1)  # as soft at their rim as pixels are wide
    sheet: Picture = PAPER * (1 - printed[..., :3]) * (1 - printed[..., 3:])
    return sheet


def pencil(picture: Picture, softness: float) -> Picture:
    """A drawing in graphite: what is darker than around it, on paper with a grain. softness: of the shorter side."""
    grey = picture @ LUMA
    around = cv2.GaussianBlur(grey, (0, 0), max(0.8, softness * min(grey.shape)))
    lines = np.clip((grey + 0.02) / (around + 0.02), 0, 1) ** 3
    shade = 0.4 + 0.6 * np.sqrt(grey)
    drawn = lines * np.clip(shade + GRAIN * _grain(grey.shape) * (1.05 - shade), 0, 1)
    sheet: Picture = PAPER * drawn[..., None]
    return sheet


def oil(picture: Picture, brush: float, relief: float) -> Picture:
    """Strokes of one colour with sharp rims, and the light on their ridges. brush: of the shorter side; relief: 0..1.

    Each pixel takes the mean of that of the four squares at it that varies least (Kuwahara et al., 1976).
    """
    reach = max(1, round(brush * min(picture.shape[:2])))
    side = reach + 1
    edged = cv2.copyMakeBorder(picture, reach, reach, reach, reach, cv2.BORDER_REFLECT_101)
    mean = cv2.blur(edged, (side, side), anchor=(0, 0))
    spread = cv2.blur(edged * edged, (side, side), anchor=(0, 0)) - mean * mean
    height, width, _ = picture.shape
    corners = [(top, left) for top in (0, reach) for left in (0, reach)]
    means = np.stack([mean[top : top + height, left : left + width] for top, left in corners])
    spreads = np.stack([spread[top : top + height, left : left + width].sum(axis=2) for top, left in corners])
    painted = np.take_along_axis(means, spreads.argmin(axis=0)[None, ..., None], axis=0)[0]
    grey = painted @ LUMA
    ridge = cv2.filter2D(grey, -1, np.array([[-1, -1, 0], [-1, 0, 1], [0, 1, 1]], np.float32))
    lit: Picture = painted - relief * np.clip(ridge, -0.5, 0.5)[..., None]
    return lit


TEXTURES: dict[str, Callable[..., Picture]] = {"halftone": halftone, "pencil": pencil, "oil": oil}


def _painted(frame: Frame, texture: Callable[[Picture], Picture]) -> Frame:
    white = np.iinfo(frame.dtype).max
    painted = texture(frame.astype(np.float32) / np.float32(white))
    result: Frame = (np.clip(painted, 0, 1) * np.float32(white) + np.float32(0.5)).astype(frame.dtype)
    return result


@lru_cache(SIZES)
def _screens(size: tuple[int, int], dots: float) -> Picture:
    """For each ink the share of it from which a pixel is printed, (height, width, 4); every share is as frequent."""
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32) * np.float32(2 * np.pi / dots)
    screens = []
    for degrees in SCREENS:
        cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        hills = np.cos(cosine * x + sine * y) + np.cos(cosine * y - sine * x)
        ranks = np.empty(hills.size, np.float32)
        ranks[hills.ravel().argsort(kind="stable")] = (np.arange(hills.size) + 0.5) / hills.size
        screens.append(ranks.reshape(size))
    return np.stack(screens, axis=2)


@lru_cache(SIZES)
def _grain(size: tuple[int, int]) -> Picture:
    """The tooth of paper, -1..1, the same for every frame."""
    noise = np.random.default_rng(1).normal(0, 1, size).astype(np.float32)
    grain: Picture = np.clip(cv2.GaussianBlur(noise, (0, 0), 0.7), -1, 1)
    return grain
