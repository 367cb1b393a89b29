"""Clips to measure with, made of the demo's clip and kept in .cache/."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from tools.demo import clip
from tools.local import CHECKOUT

FOLDER = CHECKOUT / ".cache" / "benchmarks"


PEOPLE = "usr/share/doc/opencv-doc/examples/data/vtest.avi"
"""In Debian's package opencv-doc."""


def short(name: str) -> Path | None:
    """One of three clips that move differently: `bigbuckbunny`, `bikes`, and `vtest`, if Debian's packages are at hand.

    The first two come with the demo's.
    """
    if name != "vtest":
        return clip().with_name(f"{name}.mp4")
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / PEOPLE
    if not path.exists() and shutil.which("apt-get"):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["apt-get", "download", "-qq", "opencv-doc"], cwd=folder, check=False, capture_output=True)
            for package in Path(folder).glob("*.deb"):
                subprocess.run(["dpkg", "-x", package, FOLDER], check=True)
    return path if path.exists() else None


def scaled(name: str, frames: int) -> Path | None:
    """The first frames of a short clip at 640x360, without sound; if it has fewer, it begins again."""
    source = short(name)
    if source is None:
        return None
    options = ["-vf", "scale=640:360", "-frames:v", str(frames), "-an", "-crf", "12"]
    return _kept(f"{name}-{frames}-frames.mp4", "-stream_loop", "-1", "-i", source, *options)


def minutes(length: int) -> Path:
    """A 640x360 H.264 clip with sound, 25 frames a second, that lasts `length` minutes."""
    if length > 1:
        return _kept(f"{length}min.mp4", "-stream_loop", str(length - 1), "-i", minutes(1), "-c", "copy")
    options = ["-vf", "scale=640:360", "-c:v", "libx264", "-preset", "fast", "-g", "50", "-c:a", "aac", "-ac", "2"]
    return _kept("1min.mp4", *_again(60), *options)


def full_hd() -> Path:
    """Ten minutes of `full_hd_minute`."""
    return _kept("full-hd.mp4", "-stream_loop", "9", "-i", full_hd_minute(), "-c", "copy")


def full_hd_minute() -> Path:
    """A minute of 1920x1080 H.264 with the key frames that x264 sets by itself, 25 frames a second, with sound."""
    options = ["-vf", "scale=1920:1080", "-c:v", "libx264", "-preset", "fast", "-c:a", "aac", "-ac", "2"]
    return _kept("full-hd-minute.mp4", *_again(60), *options)


def full_hd_at(rate: int, seconds: int) -> Path:
    """Some seconds of 1920x1080 H.264 at a frame rate, with a key frame each second, without sound."""
    options = ["-an", "-vf", f"fps={rate},scale=1920:1080", "-c:v", "libx264", "-preset", "fast", "-g", str(rate)]
    return _kept(f"full-hd-{rate}-{seconds}.mp4", *_again(seconds), *options)


def _again(seconds: int) -> list[str | Path]:
    """The demo's clip as input, played again as often as so many seconds take."""
    return ["-stream_loop", "-1", "-t", str(seconds), "-i", clip()]


def _kept(name: str, *arguments: str | Path) -> Path:
    """A file that ffmpeg makes the first time that it is asked for."""
    path = FOLDER / name
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments), str(path)], check=True)
    return path
