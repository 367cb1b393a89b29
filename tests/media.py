"""Media that the tests make for themselves with ffmpeg's own sources, and ways to look at media without our code."""

import subprocess
from pathlib import Path

import numpy as np


def ffmpeg(*arguments: str | Path) -> str:
    command = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def make_video(
    path: Path,
    frames: int = 48,
    size: str = "160x90",
    rate: str = "25",
    gop: int = 12,
    codec: tuple[str, ...] = ("-c:v", "libx264", "-preset", "veryfast"),
    pixel_format: str = "yuv420p",
    filters: str = "null",
    tick: str = "-1",
    sound: tuple[str, ...] | None = ("-c:a", "aac"),
    options: tuple[str, ...] = (),
) -> Path:
    """A moving test picture with a tone; `filters` may move timestamps (`setpts`), then `tick` is their time base."""
    seconds = frames / eval(rate)  # a literal of the tests, such as 30000/1001
    inputs = ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}"]
    if sound:
        inputs += ["-f", "lavfi", "-t", f"{seconds}", "-i", "sine=frequency=440:sample_rate=48000"]
    output = ["-frames:v", str(frames), "-vf", filters, "-fps_mode", "passthrough", "-enc_time_base", tick]
    output += ["-pix_fmt", pixel_format, "-g", str(gop), *codec, *(sound or ()), *options]
    ffmpeg(*inputs, *output, path)
    return path


def timestamps(path: Path) -> list[float]:
    """Presentation times of the video's packets in seconds, ascending, as ffprobe gives them."""
    return sorted(float(time) for time in _probe(path, "-select_streams", "v:0", "-show_entries", "packet=pts_time"))


def sound_hash(path: Path) -> str:
    """A hash of the packets of every sound stream."""
    return ffmpeg("-i", path, "-map", "0:a", "-c", "copy", "-f", "streamhash", "-")


def frame_hashes(path: Path, pixel_format: str = "yuv420p") -> list[str]:
    """A hash of each decoded frame, by ffmpeg alone."""
    lines = ffmpeg(
        "-i", path, "-map", "0:v:0", "-fps_mode", "passthrough", "-pix_fmt", pixel_format, "-f", "framehash", "-"
    )
    return [line.split(",")[-1].strip() for line in lines.splitlines() if not line.startswith("#")]


def frames_of(path: Path, size: tuple[int, int]) -> np.ndarray:
    """All frames of (width, height) pixels as RGB, (frames, height, width, 3), by ffmpeg alone."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-fps_mode", "passthrough", "-pix_fmt", "rgb24"]
    data = subprocess.run([*command, "-f", "rawvideo", "-"], check=True, capture_output=True).stdout
    return np.frombuffer(data, np.uint8).reshape(-1, size[1], size[0], 3)


def grey_video(path: Path, frames: np.ndarray) -> Path:
    """A lossless video of grey frames, (frames, height, width), uint8."""
    height, width = frames.shape[1:]
    raw = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{width}x{height}", "-r", "25", "-i", "-"]
    command = ["ffmpeg", "-v", "error", "-y", *raw, "-c:v", "ffv1", str(path)]
    subprocess.run(command, input=frames.tobytes(), check=True)
    return path


def duration(path: Path) -> float:
    return float(_probe(path, "-show_entries", "format=duration")[0])


def _probe(path: Path, *arguments: str) -> list[str]:
    command = ["ffprobe", "-v", "error", *arguments, "-of", "csv=p=0", str(path)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return [line.strip(",") for line in lines if line.strip(",")]
