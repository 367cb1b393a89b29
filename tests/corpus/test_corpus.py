"""Every kind of video comes back frame by frame, tick by tick and packet by packet."""

import json
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from rotoscope.media.video import Video
from rotoscope.request import Request
from rotoscope.steps.assemble import assemble
from rotoscope.steps.paint import paint_chunk
from rotoscope.steps.split import split
from rotoscope.store import keys
from rotoscope.store.folder import FolderStore
from tests.corpus.cases import ALL, Case, make
from tests.media import ffmpeg
from tests.sampling import one_in

RUN = "corpus"
RGB = {True: "rgba", False: "rgb24"}


def rotoscope(store: FolderStore, source: Path, **fields: Any) -> tuple[Path, Video, dict[str, Any]]:
    """The result of a request in three steps, the source's manifest and the result's."""
    request = Request.parse({"source": str(source), "filter": "identity", "chunk_frames": 17, **fields})
    key, plan = split(request, store, RUN, 2, 1)
    for chunk in plan.chunks:
        paint_chunk(store, key, chunk.index, RUN, 1)
    objects = assemble(store, key, RUN)
    video = Video.model_validate(store.get_json(keys.manifest(plan.video)))
    return Path(store.address(objects["video"])), video, store.get_json(objects["manifest"])


def frames(path: Path, stream: int, pixel_format: str) -> list[str]:
    """A hash of each frame that ffmpeg alone decodes, in its own format, or in RGB where that is packed differently."""
    rgb = pixel_format.startswith(("rgb", "bgr", "gbr", "pal", "argb"))
    options = ["-pix_fmt", RGB["a" in pixel_format]] if rgb else []
    raw = ["-vf", "setparams=range=tv", "-fps_mode", "passthrough"]  # so that no ffmpeg converts full range
    lines = ffmpeg("-i", path, "-map", f"0:{stream}", *raw, *options, "-f", "framehash", "-")
    return [line.split(",")[-1].strip() for line in lines.splitlines() if not line.startswith("#")]


def times(path: Path, stream: int) -> list[Fraction]:
    """When each frame is shown, exactly, as ffprobe decodes them."""
    asked = ["-select_streams", str(stream), "-show_entries", "frame=best_effort_timestamp:stream=time_base"]
    said = subprocess.run(
        ["ffprobe", "-v", "error", *asked, "-of", "json", path], check=True, capture_output=True, text=True
    )
    found = json.loads(said.stdout)
    tick = Fraction(found["streams"][0]["time_base"])
    return sorted(frame["best_effort_timestamp"] * tick for frame in found["frames"])


def packets(path: Path, kind: str, number: int) -> str:
    """A hash of the packets of one sound or subtitle stream, without the frames that broadcasts put around AAC."""
    bare = ["-bsf:a", "aac_adtstoasc"] if path.suffix == ".ts" and kind == "a" and "aac" in codecs(path, kind) else []
    return ffmpeg("-i", path, "-map", f"0:{kind}:{number}", "-c", "copy", *bare, "-f", "streamhash", "-").split("=")[-1]


def codecs(path: Path, kind: str) -> list[str]:
    asked = ["-v", "error", "-select_streams", kind, "-show_entries", "stream=codec_name", "-of", "csv=p=0"]
    return subprocess.run(["ffprobe", *asked, path], check=True, capture_output=True, text=True).stdout.split()


@pytest.mark.parametrize("case", one_in(8, ALL, name=lambda case: case.name))
def test_every_frame_and_every_packet_comes_back(case: Case, tmp_path: Path, store: FolderStore) -> None:
    source = make(case, tmp_path)
    result, video, manifest = rotoscope(store, source, format="mov-lossless")
    assert video.cut.method == case.cut, video.cut.reason
    assert frames(result, 0, video.pixel_format) == frames(source, video.stream, video.pixel_format)
    if video.cut.method == "copy":
        assert times(result, 0) == [time - video.origin * video.tick for time in times(source, video.stream)]
    else:
        assert any(video.cut.reason in notice for notice in manifest["notices"])
    converted = {notice.split()[2] for notice in manifest["notices"] if "was converted" in notice}
    for number, sound in enumerate(video.sound):
        if str(sound.index) not in converted:
            assert packets(result, "a", number) == packets(source, "a", number)
    assert len(codecs(result, "a")) == len(video.sound)


@pytest.mark.parametrize(
    "name", one_in(3, ["two-sounds", "vp9-webm", "mpeg2-mkv", "subtitles", "theora-ogv", "wmv2-wmv", "ffv1-mkv"])
)
def test_matroska_takes_every_stream_by_copy(name: str, tmp_path: Path, store: FolderStore) -> None:
    (case,) = [one for one in ALL if one.name == name]
    source = make(case, tmp_path)
    result, _, manifest = rotoscope(store, source, format="mkv")
    for kind in ("a", "s"):
        assert codecs(result, kind) == codecs(source, kind)
        for number in range(len(codecs(source, kind))):
            assert packets(result, kind, number) == packets(source, kind, number)
    assert not [notice for notice in manifest["notices"] if "converted" in notice or "left out" in notice]
