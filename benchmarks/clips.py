"""Clips to measure with, made of the demo's clip and kept in .cache/."""

import subprocess
from pathlib import Path

from tools.demo import clip
from tools.local import CHECKOUT

FOLDER = CHECKOUT / ".cache" / "benchmarks"


def minutes(length: int) -> Path:
    """A 640x360 H.264 clip with sound, 25 frames a second, that lasts `length` minutes."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{length}min.mp4"
    if path.exists():
        return path
    if length == 1:
        options = ["-vf", "scale=640:360", "-c:v", "libx264", "-preset", "fast", "-g", "50", "-c:a", "aac", "-ac", "2"]
        _ffmpeg("-stream_loop", "-1", "-t", "60", "-i", clip(), *options, path)
    else:
        _ffmpeg("-stream_loop", str(length - 1), "-i", minutes(1), "-c", "copy", path)
    return path


def _ffmpeg(*arguments: str | Path) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments)], check=True)
