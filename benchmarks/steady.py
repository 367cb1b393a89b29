"""Steady motion: its speed over painting frame by frame, and what it does to flicker, contrast and sharpness.

`python -m benchmarks.steady table.md` writes the whole table; `make bench` prints a part of it.
"""

import argparse
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks import clips
from rotoscope.media.source import open_source
from rotoscope.painting import PERIOD, Workshop
from rotoscope.quality.warping import flow_between, small, warping_error
from rotoscope.request import Request

CLIPS = ("bigbuckbunny", "bikes", "vtest")
FILTERS = ("starlit-swirl", "lava-glow", "sea-mist", "lime-woodcut", "pop-pencil", "oil")
PLAIN = "frame by frame"
WAYS: dict[str, dict[str, Any]] = {
    PLAIN: {},
    "key frames": {"key_frames": True},
    "key frames, steady 1": {"key_frames": True, "steady": 1.0},
    "steady 1": {"steady": 1.0},
}
FRAMES, SIZE, THREADS, ROUNDS = 97, (640, 360), 2, 3
CUT = 0.1
"""Where less of a frame than this is in the one before, there is a cut, over which nothing can be steady."""

Show = Callable[[str, str, str], None]
Frames = NDArray[np.uint8]
"""(frames, height, width, 3)."""


class Row(NamedTuple):
    """One way for one clip and filter, against painting frame by frame.

    speed: the median of some rounds; flicker, contrast, sharpness: changes, 0 for none; source: the flicker of the
    source itself, below which no filter need go. border: the border excess, what is left of the warping error of frame
    by frame where chunks begin, over what is left elsewhere; the error itself, at three pairs of frames of a clip,
    would say how much moves in them.
    """

    clip: str
    filter: str
    way: str
    speed: float
    flicker: float
    source: float
    contrast: float
    sharpness: float
    border: float


def measure(show: Show, filters: Sequence[str] = FILTERS[:1]) -> None:
    """Print, for each clip and filter, how steady painting compares with painting frame by frame."""
    for row in rows(filters):
        said = f"flicker {row.flicker:+.0%}, contrast {row.contrast:+.1%}, sharpness {row.sharpness:+.1%}"
        what, speed = f"{row.clip}, {row.filter}, {row.way}", f"{row.speed:.2f} times as fast"
        show(what, speed, f"{said}, border {row.border:.2f}")


def rows(filters: Sequence[str]) -> Iterator[Row]:
    """The comparison of all clips that are here, under some filters."""
    for name in CLIPS:
        path = clips.short(name)
        if path is None:
            continue
        source = source_of(path)
        flows = [flow_between(small(one), small(other)) for one, other in pairwise(source)]
        still = _measures(source, flows)[0][0]
        for filter in filters:
            took = []
            for _ in range(ROUNDS):  # all of them paint the same
                done = {way: _painted(path, filter, source, **WAYS[way]) for way in WAYS}
                took.append({way: seconds for way, (_, seconds) in done.items()})
            before, errors = _measures(done[PLAIN][0], flows)
            for way in list(WAYS)[1:]:
                speed = statistics.median(one[PLAIN] / one[way] for one in took)
                after, left = _measures(done[way][0], flows)
                flicker, contrast, sharpness = after / before - 1
                kept = (contrast, sharpness, _excess(left, errors))
                yield Row(name, filter, way, speed, flicker, still / before[0] - 1, *kept)


def source_of(path: Path) -> Frames:
    """The first frames of a clip, at 640x360."""
    scaled = ["-vf", f"scale={SIZE[0]}:{SIZE[1]}", "-frames:v", str(FRAMES), "-f", "rawvideo", "-pix_fmt", "rgb24"]
    data = subprocess.run(["ffmpeg", "-v", "error", "-i", path, *scaled, "-"], check=True, capture_output=True).stdout
    return np.frombuffer(data, np.uint8).reshape(-1, SIZE[1], SIZE[0], 3)


def _painted(path: Path, filter: str, source: Frames, **fields: Any) -> tuple[Frames, float]:
    """The frames painted as a request would, and the seconds that took once the network was loaded."""
    request = Request.parse({"source": str(path), "filter": filter, "size": "360p", **fields})
    workshop = Workshop.open(request, open_source(path, path.parent)[0].video, THREADS)
    list(workshop.painted(enumerate(source[:3])))
    start = time.perf_counter()
    painted = np.stack([frame for _, _, frame in workshop.painted(enumerate(source))])
    return painted, time.perf_counter() - start


def _measures(painted: Frames, flows: Sequence[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Warping error, contrast and sharpness (variance of the Laplacian), means over all frames, cuts left out.

    And the errors of each pair of frames, NaN at a cut.
    """
    pairs = zip(pairwise(painted), flows, strict=True)
    each = [warping_error(small(a), small(b), *step) if step[1].mean() > CUT else np.nan for (a, b), step in pairs]
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32) for frame in painted]
    sharpness = np.mean([cv2.Laplacian(frame, cv2.CV_32F).var() for frame in grey])
    return np.array([np.nanmean(each), np.mean([frame.std() for frame in grey]), sharpness]), np.array(each)


def _excess(left: NDArray[np.float64], errors: NDArray[np.float64]) -> float:
    """Errors that are left of those of frame by frame, before key frames, where chunks begin, over elsewhere."""
    border = np.arange(1, len(errors) + 1) % PERIOD == 0
    there, elsewhere = (np.nansum(left[of]) / np.nansum(errors[of]) for of in (border, ~border))
    return float(there / elsewhere)


def _table(path: Path) -> None:
    """Write the table of all filters."""
    lines = [
        "| clip | filter | way | speed | flicker | the source's | contrast | sharpness | border excess |",
        "|---" * 9 + "|",
    ]
    for clip, filter, way, speed, *changes, border in rows(FILTERS):
        change = " | ".join(f"{one:+.1%}" for one in changes)
        lines.append(f"| {clip} | {filter} | {way} | {speed:.2f} | {change} | {border:.2f} |")
        path.write_text("\n".join(lines) + "\n")
        print(lines[-1], flush=True)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="Write the table of all clips, filters and ways of steady motion.")
    arguments.add_argument("table", type=Path, help="the Markdown file to write")
    _table(arguments.parse_args().table)
