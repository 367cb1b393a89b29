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


def full_hd() -> Path:
    """Ten minutes of `full_hd_minute`."""
    path = FOLDER / "full-hd.mp4"
    if not path.exists():
        _ffmpeg("-stream_loop", "9", "-i", full_hd_minute(), "-c", "copy", path)
    return path


def full_hd_minute() -> Path:
    """A minute of 1920x1080 H.264 with the key frames that x264 sets by itself, 25 frames a second, with sound."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / "full-hd-minute.mp4"
    if not path.exists():
        options = ["-vf", "scale=1920:1080", "-c:v", "libx264", "-preset", "fast", "-c:a", "aac", "-ac", "2"]
        _ffmpeg("-stream_loop", "-1", "-t", "60", "-i", clip(), *options, path)
    return path


def _ffmpeg(*arguments: str | Path) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments)], check=True)
