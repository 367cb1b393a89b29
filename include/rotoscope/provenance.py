"""Provenance: what a result was made of and with, so that it can be explained and made again."""

import platform
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from rotoscope import __version__, formats
from rotoscope.media import process
from rotoscope.media.video import Video
from rotoscope.plan import Plan, painting
from rotoscope.store import keys

LIBRARIES = ("openvino", "numpy", "pillow", "opencv-python-headless")


def provenance(plan: Plan, source: Video, result: dict[str, Any], chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """The record of one result. result: its frames, size and SHA-256; chunks: the painted chunks' records, in order."""
    request = plan.request
    return {
        "schema_version": 1,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "request": request.model_dump(mode="json"),
        "source": {"sha256": source.sha256, "name": source.name, "manifest": keys.manifest(source.sha256)},
        "result": result,
        "filter": request.texture.model_dump(mode="json"),
        "layers": [[one.model_dump(mode="json"), strength] for one, strength in request.layers],
        "later_layers": [[one.model_dump(mode="json"), strength] for one, strength in request.later_layers],
        "painting": painting(request, source),
        "format": formats.get(request.format).model_dump(mode="json"),
        "chunks": [
            {"start": chunk.start, "end": chunk.end, **record}
            for chunk, record in zip(plan.chunks, chunks, strict=True)
        ],
        "versions": {
            "rotoscope": __version__,
            "ffmpeg": process.version(),
            "python": platform.python_version(),
            **{name: version(name) for name in LIBRARIES},
        },
    }
