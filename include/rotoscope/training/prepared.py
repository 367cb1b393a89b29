"""What training learns from: paintings and photos, gathered from anywhere, in one archive of modest size."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict

from rotoscope.engines import Frame
from rotoscope.errors import Refused
from rotoscope.fetch import Fetch
from rotoscope.media.pick import pick
from rotoscope.media.pictures import kind
from rotoscope.media.pixels import RGB
from rotoscope.media.source import open_source
from rotoscope.media.still import READ, decode_picture, encode_picture
from rotoscope.media.track import Picture
from rotoscope.places import file_at
from rotoscope.style import SMALLEST, read_picture
from rotoscope.training.parts import SHIFT
from rotoscope.training.recipe import TrainRequest
from rotoscope.training.watch import spread

PHOTO = 480
"""Pixels of a photo's shorter side."""
OF_A_VIDEO = 24
"""Frames taken of each."""
MOST_PHOTOS = 1000
PAINTINGS, PHOTOS = "paintings", "photos"


class Origin(BaseModel):
    """Where a picture came from: the name that users call it, and the SHA-256 of its file."""

    model_config = ConfigDict(frozen=True)

    name: str
    sha256: str


def gather(request: TrainRequest, archive: Path, scratch: Path, fetch: Fetch) -> list[Origin]:
    """Put the paintings and the photos of a request into an archive; gives the origins of the paintings.

    Raises Refused for what is no picture, no video, or too small.
    """
    origins = []
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as pack:
        for number, place in enumerate(request.styles):
            path, name = file_at(place, scratch, fetch)
            picture, sha256 = read_picture(path, name)
            origins.append(Origin(name=name, sha256=sha256))
            small = _shrunk(picture, request.style_pixels / max(picture.shape[:2]))
            if min(small.shape[:2]) < SMALLEST:
                raise Refused(f"{name} is too narrow to be learned from; give a part of it that is more like a square.")
            _add(pack, f"{PAINTINGS}/{number:04}.png", encode_picture(small, "png"))
        for number, photo in enumerate(_photos(request, scratch, fetch)):
            if number == MOST_PHOTOS:
                raise Refused(f"There are more than {MOST_PHOTOS} photos; that many teach no more than fewer do.")
            _add(pack, f"{PHOTOS}/{number:04}.jpg", encode_picture(photo, "jpeg"))
    return origins


def unpacked(archive: Path) -> tuple[list[Frame], list[Frame]]:
    """The paintings and the photos of an archive: RGB of shape (height, width, 3), uint8."""
    with zipfile.ZipFile(archive) as pack:
        found = {kind: [one for one in pack.namelist() if one.startswith(kind)] for kind in (PAINTINGS, PHOTOS)}
        paintings, photos = ([decode_picture(pack.read(name)) for name in names] for names in found.values())
    return paintings, photos


def _photos(request: TrainRequest, scratch: Path, fetch: Fetch) -> Iterator[Frame]:
    for place in request.content:
        path, name = file_at(place, scratch, fetch)
        for number, photo in enumerate(_in(path, name, scratch), 1):
            small = _shrunk(photo, PHOTO / min(photo.shape[:2]))
            if min(small.shape[:2]) < request.crop + 2 * SHIFT:
                size = f"{small.shape[1]}x{small.shape[0]}"
                raise Refused(
                    f"Picture {number} of {name} has {size} pixels, too few for crops of {request.crop}; "
                    "leave it out, or ask for smaller crops."
                )
            yield small


def _in(path: Path, name: str, scratch: Path) -> Iterator[Frame]:
    """The pictures of a folder, of a video, or one."""
    if path.is_dir():
        found = [one for one in sorted(path.iterdir()) if one.is_file() and kind(one) in READ]
        if not found:
            raise Refused(f"The folder {name} holds no PNG, JPEG or WebP picture.")
        yield from (read_picture(one, one.name)[0] for one in found)
    elif kind(path) in READ:
        yield read_picture(path, name)[0]
    else:
        yield from _of_video(path, name, scratch)


def _of_video(path: Path, name: str, scratch: Path) -> list[Frame]:
    """Frames all over a video."""
    source, packets = open_source(path, scratch, name=name)
    video = source.video
    indices = sorted(set(spread(video.frames, OF_A_VIDEO)))
    width, height = video.upright_size
    scale = min(1.0, PHOTO / min(width, height))
    size = round(width * scale), round(height * scale)
    return pick(source.track, packets, indices, Picture(RGB, size), scratch)


def _shrunk(picture: Frame, scale: float) -> Frame:
    """The picture made smaller; never larger."""
    if scale >= 1:
        return picture
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def _add(pack: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Always with the same date, so that the same pictures make the same archive."""
    pack.writestr(zipfile.ZipInfo(name), content)
