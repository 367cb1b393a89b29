"""The archive: painted frames as PNG pictures in a zip file, with a list of their times."""

import csv
import io
import zipfile
from pathlib import Path
from typing import Any

from rotoscope.media import guard
from rotoscope.media.pixels import DEEP_RGB, DEEP_RGBA
from rotoscope.media.timeline import Timeline

MUXER = "zip"
TIMES = "times.csv"
BIG_ENDIAN = {DEEP_RGB: "rgb48be", DEEP_RGBA: "rgba64be"}
"""PNG has the high byte first."""


def pictures(frames: Any, pixel_format: str, folder: Path) -> list[str]:
    """Ffmpeg's arguments to write each frame into a file of its own in a folder."""
    shown = frames.filter("format", BIG_ENDIAN.get(pixel_format, pixel_format))
    return guard.output([shown], guard.pattern(folder, "frame-%07d.png"), format="image2", fps_mode="passthrough")


def pack(folder: Path, path: Path, timeline: Timeline) -> None:
    """Put the pictures of a folder into a zip file, and take them away there."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        named = sorted(folder.glob("frame-*.png"))
        for picture in named:
            archive.write(picture, picture.name)
            picture.unlink()
        archive.writestr(TIMES, _times([picture.name for picture in named], timeline))


def _times(names: list[str], timeline: Timeline) -> str:
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["picture", "seconds"])
    for name, (_, pts) in zip(names, timeline.shown, strict=False):
        table.writerow([name, f"{float(pts * timeline.tick):.9f}"])
    return text.getvalue()
