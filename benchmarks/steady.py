"""Steady motion: its speed over painting frame by frame, and what it does to flicker, contrast and sharpness."""

import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tools.demo import clip

from rotoscope.media.source import open_source
from rotoscope.painting import Workshop
from rotoscope.quality.warping import flow_between, small, warping_error
from rotoscope.request import Request

CLIPS = ("bikes", "bigbuckbunny")
FILTERS = ("starlit-swirl", "lava-glow", "sea-mist")
WAYS: dict[str, dict[str, Any]] = {"key frames": {"key_frames": True}, "steady 1": {"steady": 1.0}}
FRAMES, SIZE, THREADS = 97, (640, 360), 2

Show = Callable[[str, str, str], None]
Frames = NDArray[np.uint8]
"""(frames, height, width, 3)."""


def measure(show: Show) -> None:
    """Print, for each clip and filter, how steady painting compares with painting frame by frame."""
    for name in CLIPS:
        path = clip().with_name(f"{name}.mp4")
        source = _source(path)
        for filter in FILTERS:
            plain, seconds = _painted(path, filter, source)
            before = _measures(source, plain)
            for way, fields in WAYS.items():
                painted, took = _painted(path, filter, source, **fields)
                flicker, contrast, sharpness = _measures(source, painted) / before - 1
                said = f"flicker {flicker:+.0%}, contrast {contrast:+.1%}, sharpness {sharpness:+.1%}"
                show(f"{name}, {filter}, {way}", f"{seconds / took:.2f} times as fast", said)


def _source(path: Path) -> Frames:
    scaled = ["-vf", f"scale={SIZE[0]}:{SIZE[1]}", "-frames:v", str(FRAMES), "-f", "rawvideo", "-pix_fmt", "rgb24"]
    data = subprocess.run(["ffmpeg", "-v", "error", "-i", path, *scaled, "-"], check=True, capture_output=True).stdout
    return np.frombuffer(data, np.uint8).reshape(-1, SIZE[1], SIZE[0], 3)


def _painted(path: Path, filter: str, source: Frames, **fields: Any) -> tuple[Frames, float]:
    """The frames painted as a request would, and the seconds that took."""
    request = Request.parse({"source": str(path), "filter": filter, "size": "360p", **fields})
    workshop = Workshop.open(request, open_source(path, path.parent)[0].video, THREADS)
    start = time.perf_counter()
    painted = np.stack([frame for _, _, frame in workshop.painted(enumerate(source))])
    return painted, time.perf_counter() - start


def _measures(source: Frames, painted: Frames) -> NDArray[np.float64]:
    """Warping error, contrast and sharpness (variance of the Laplacian), means over all frames."""
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32) for frame in painted]
    sharpness = np.mean([cv2.Laplacian(frame, cv2.CV_32F).var() for frame in grey])
    return np.array([np.mean(list(_errors(source, painted))), np.mean([frame.std() for frame in grey]), sharpness])


def _errors(source: Frames, painted: Frames) -> Iterator[float]:
    for before, after in zip(pairwise(source), pairwise(painted), strict=True):
        moved, seen = flow_between(small(before[0]), small(before[1]))
        yield warping_error(small(after[0]), small(after[1]), moved, seen)
