"""deeplearning/DeepFilter: paints pictures with our own filters; those of one call side by side.

Input `{"images": [URI], "savePaths": [URI], "filterName": NAME}`, result `{"savePaths": [URI]}`.
"""

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from algorithmia_server.errors import InputError, ProtocolError
from algorithmia_server.registry import Call, fields
from algorithmia_server.settings import Settings
from algorithmia_server.sources import picture_bytes
from rotoscope import engines
from rotoscope.engines import Frame, Paint
from rotoscope.errors import RotoscopeError
from rotoscope.filters import catalogue
from rotoscope.media.still import BadPicture, Kind, decode_picture, encode_picture

VERSION = "1.0.0"
MOST_PICTURES = 64
"""Of one call, so that a slot is not held for hours."""


def run(input: Any, call: Call) -> dict[str, list[str]]:
    """Paint each picture and save it. Raises InputError for a filter, or a picture, that cannot be used."""
    asked = fields(input, "images", "savePaths", "filterName")
    images, targets = _listed(asked["images"], "images"), _listed(asked["savePaths"], "savePaths")
    if len(images) != len(targets) or not 0 < len(images) <= MOST_PICTURES:
        raise InputError(f"images and savePaths must be of the same length, 1 to {MOST_PICTURES}")
    paint = _painter(_known(str(asked["filterName"]), call.settings), call.settings.threads)

    def one(source: str, target: str) -> str:
        kind: Kind = "jpeg" if target.lower().endswith((".jpg", ".jpeg")) else "png"
        return call.files.write(target, io.BytesIO(encode_picture(paint(_picture(source, call)), kind)))

    with ThreadPoolExecutor(call.settings.threads) as pool:
        return {"savePaths": list(pool.map(one, images, targets))}


def _listed(value: Any, name: str) -> list[str]:
    uris = [value] if isinstance(value, str) else value
    if not isinstance(uris, list) or not all(isinstance(uri, str) for uri in uris):
        raise InputError(f"{name} must be a list of URIs")
    return uris


def _known(name: str, settings: Settings) -> str:
    """The name of the filter that is meant, which the operator may have given another."""
    there = [one.name for one in catalogue.catalogue().values() if one.engine in engines.ENGINES]
    found = settings.filter_names.get(name, name)
    if found not in there:
        names = ", ".join(sorted([*there, *settings.filter_names]))
        raise InputError(f"there is no filter {name!r} on this server; the filters are: {names}")
    return found


@cache
def _painter(name: str, threads: int) -> Paint:
    """A filter ready to paint; `threads` pictures at once in the whole process, whoever asked for them."""
    paint = engines.load(catalogue.get(name), threads, at_once=threads)
    places = threading.BoundedSemaphore(threads)

    def painted(frame: Frame) -> Frame:
        with places:
            return paint(frame)

    return painted


def _picture(uri: str, call: Call) -> Frame:
    try:
        return decode_picture(picture_bytes(uri, call))
    except (BadPicture, ProtocolError, RotoscopeError) as error:
        raise InputError(f"Image/Url is invalid: {uri} ({error})") from None
