"""media/VideoTransform: a video with every frame changed by an algorithm for pictures.

Input `{"input_file": URI, "output_file": URI, "algorithm": NAME, "advanced_input": {...}, "fps": NUMBER,
"video_compression": CRF}`, with placeholders in `advanced_input`; result `{"output_file": URI, "frames": NUMBER}`.
"""

import contextlib
import io
import itertools
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from algorithmia_server.errors import InputError, NotFound
from algorithmia_server.registry import Call, fields
from algorithmia_server.sources import video_file
from rotoscope import formats
from rotoscope.algorithmia.placeholders import BATCH, filled, takes_batches
from rotoscope.engines import Frame, Painter
from rotoscope.errors import Refused
from rotoscope.filters.chain import bare
from rotoscope.media.still import MOST_BYTES, decode_picture, encode_picture
from rotoscope.reference import paint
from rotoscope.request import Request

VERSION = "1.0.0"
MOST_FRAMES = 10_000
BATCH_FRAMES = 5
DEFAULTS: dict[str, Any] = {
    "deeplearning/deepfilter": {"images": BATCH[0], "savePaths": BATCH[1], "filterName": "starlit-swirl"},
}


def run(input: Any, call: Call) -> dict[str, Any]:
    """Transform the video. Raises InputError for what cannot be used."""
    asked = fields(input, "input_file", "output_file", "algorithm")
    target = str(asked["output_file"])
    call.files.write(target, io.BytesIO())  # so that a wrong place is known before the work is done
    with tempfile.TemporaryDirectory() as folder:
        source = video_file(str(asked["input_file"]), call, Path(folder))
        made = Path(folder) / f"result.{_format(target).extension}"
        try:
            request = Request.parse({"source": str(source), **_options(asked, target)})
            result, _ = paint(request, made, call.settings.threads, _few, _painter(asked, call))
        except Refused as refusal:
            raise InputError(str(refusal)) from None
        with made.open("rb") as file:
            call.files.write(target, file)
    return {"output_file": target, "frames": result.frames}


def _few(done: int, frames: int) -> None:
    if frames > MOST_FRAMES:
        raise InputError(f"the video has {frames} frames; the most is {MOST_FRAMES}")


def _format(target: str) -> formats.Format:
    extension = PurePosixPath(target).suffix.lstrip(".").lower()
    for one in formats.formats().values():
        if one.extension == extension:
            return one
    known = sorted({one.extension for one in formats.formats().values()})
    raise InputError(f"output_file must end in one of {', '.join(known)}")


def _options(asked: dict[str, Any], target: str) -> dict[str, Any]:
    options = {"format": _format(target).name, "fps": asked.get("fps"), "quality": asked.get("video_compression")}
    return {name: value for name, value in options.items() if value is not None}


def _painter(asked: dict[str, Any], call: Call) -> Painter:
    """Paints frames by calls of the algorithm, over temporary files of the caller's."""
    name = str(asked["algorithm"]).removeprefix("algo://")
    template = asked.get("advanced_input") or DEFAULTS.get("/".join(name.lower().split("/")[:2]))
    try:
        most = BATCH_FRAMES if takes_batches(template) else 1
    except ValueError as error:
        raise InputError(f"advanced_input is not usable: {error}") from None
    folder = f"data://.algo/media/VideoTransform/temp/{uuid.uuid4().hex}"

    def painted(batch: list[tuple[int, Frame]]) -> Iterator[tuple[int, Frame, Frame]]:
        sources = [f"{folder}-{index}.png" for index, _ in batch]
        targets = [f"{folder}-{index}-out.png" for index, _ in batch]
        try:
            for uri, (_, frame) in zip(sources, batch, strict=True):
                call.files.write(uri, io.BytesIO(encode_picture(bare(frame), "png")))
            call.algorithm(name, filled(template, sources, targets))
            for uri, (index, frame) in zip(targets, batch, strict=True):
                yield index, frame, decode_picture(call.files.read(uri, MOST_BYTES))
        finally:
            for uri in (*sources, *targets):
                place = call.files.at(uri)
                with contextlib.suppress(NotFound):
                    place.tree.delete(place.path)

    def all_painted(frames: Iterable[tuple[int, Frame]]) -> Iterator[tuple[int, Frame, Frame]]:
        rest = iter(frames)
        while batch := list(itertools.islice(rest, most)):
            yield from painted(batch)

    return all_painted
