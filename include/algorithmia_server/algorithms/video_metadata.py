"""media/VideoMetadataExtraction: what ffprobe says of a video."""

import tempfile
from pathlib import Path
from typing import Any

from algorithmia_server.errors import InputError
from algorithmia_server.registry import Call, fields
from algorithmia_server.sources import video_file
from rotoscope.errors import Refused
from rotoscope.media import probe

VERSION = "1.0.0"


def run(input: Any, call: Call) -> dict[str, Any]:
    """`{"video": URI}`, or the bare URI; gives `{"format": {...}, "streams": [...]}`."""
    uri = input if isinstance(input, str) else str(fields(input, "video")["video"])
    with tempfile.TemporaryDirectory() as folder:
        try:
            facts = probe.ask(video_file(uri, call, Path(folder)))
        except Refused as refusal:
            raise InputError(str(refusal)) from None
    facts["format"]["filename"] = uri
    return facts
