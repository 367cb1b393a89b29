"""NUT files, the container of segments and painted chunks: joining them without touching a packet.

A NUT file may repeat its headers anywhere (specification: https://ffmpeg.org/~michael/nut.txt), so files of the same
stream make one when they lie behind each other, but for the line that a file begins with. Timestamps are absolute, and
decoding times are not stored: a reader derives them over the joined stream as if one encoder had made it.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import IO

BEGINNING = b"nut/multimedia container\0"
OPTIONS: dict[str, str | int] = {"format": "nut", "write_index": 0, "avoid_negative_ts": "disabled"}
"""ffmpeg's options to write such a file: an index would count bytes from the file's own beginning."""


def join(paths: Iterable[Path], target: IO[bytes]) -> None:
    """Write the files of one stream behind each other into `target`."""
    for place, path in enumerate(paths):
        with path.open("rb") as file:
            if file.read(len(BEGINNING)) != BEGINNING:
                raise ValueError(f"{path.name} is not a NUT file.")
            if place == 0:
                target.write(BEGINNING)
            shutil.copyfileobj(file, target, 2**20)
