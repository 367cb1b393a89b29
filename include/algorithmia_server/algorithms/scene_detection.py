"""media/SceneDetection: where the scenes of a video begin and end, by ffmpeg's scene score."""

import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

from algorithmia_server.errors import InputError
from algorithmia_server.registry import Call, fields
from algorithmia_server.sources import video_file
from rotoscope.borders import scene_cuts
from rotoscope.errors import Refused
from rotoscope.media.source import open_source

VERSION = "1.0.0"


def run(input: Any, call: Call) -> dict[str, Any]:
    """`{"video": URI}`, or the bare URI; gives `{"scenes": [{"start_time", "end_time"}]}` in seconds."""
    uri = input if isinstance(input, str) else str(fields(input, "video")["video"])
    with tempfile.TemporaryDirectory() as folder:
        try:
            source, _ = open_source(video_file(uri, call, Path(folder)), Path(folder))
        except Refused as refusal:
            raise InputError(str(refusal)) from None
        video = source.video
        begin, end = video.pts[0], video.pts[-1] + video.last_duration
        times = [float((pts - begin) * video.tick) for pts in [begin, *sorted(scene_cuts(source.track)), end]]
    return {"scenes": [{"start_time": start, "end_time": stop} for start, stop in pairwise(times) if start < stop]}
