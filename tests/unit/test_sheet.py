"""Contact sheets: the right frames under the right filters, in pictures and a page."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rotoscope.errors import Refused
from rotoscope.filters import catalogue
from rotoscope.media.pick import pick
from rotoscope.media.pixels import RGB
from rotoscope.media.source import open_source
from rotoscope.media.track import Picture
from rotoscope.sheet import SheetRequest
from rotoscope.steps.sheet import make_sheet
from rotoscope.store.folder import FolderStore
from tests.media import ffmpeg, frame_hashes, make_video

FILTERS = ["sea-mist", "lava-glow"]


def sheet(source: Path, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    filters = [part for name in FILTERS for part in ("--filter", name)]
    command = [sys.executable, "-m", "rotoscope", "sheet", str(source), "-o", str(folder), *filters, *options]
    return subprocess.run(command, capture_output=True, text=True)


def test_single_frames_are_picked_exactly(tmp_path: Path) -> None:
    source, packets = open_source(make_video(tmp_path / "open.mp4", 60, gop=10, options=("-bf", "3")), tmp_path)
    indices = [0, 1, 9, 10, 31, 59]
    frames = pick(source.track, packets, indices, Picture(RGB, (160, 90)), tmp_path)
    raw = tmp_path / "all.rgb"
    scale = "scale=flags=accurate_rnd+full_chroma_int+full_chroma_inp+bitexact+bicubic"
    ffmpeg("-i", tmp_path / "open.mp4", "-vf", scale, "-pix_fmt", "rgb24", "-f", "rawvideo", raw)
    whole = np.fromfile(raw, np.uint8).reshape(60, 90, 160, 3).astype(int)
    for index, frame in zip(indices, frames, strict=True):
        distances = np.abs(whole - frame).mean(axis=(1, 2, 3))
        assert distances.argmin() == index
        assert distances[index] < 2


def test_the_command_writes_a_page_and_a_sheet_of_pictures(clip: Path, tmp_path: Path) -> None:
    done = sheet(clip, tmp_path / "sheet")
    assert done.returncode == 0, done.stderr
    names = {f"{name}-{number}.jpg" for name in ("source", *FILTERS) for number in (1, 2, 3)}
    assert {path.name for path in (tmp_path / "sheet").iterdir()} == names | {"sheet.jpg", "index.html"}
    page = (tmp_path / "sheet" / "index.html").read_text()
    assert set(re.findall(r'src="([^"]+)"', page)) == names
    with Image.open(tmp_path / "sheet" / "source-1.jpg") as picture:
        assert picture.size == (160, 90), "small pictures are not enlarged"
    with Image.open(tmp_path / "sheet" / "sheet.jpg") as picture:
        assert picture.size[0] <= 1600
    assert {path.name for path in tmp_path.iterdir()} == {"sheet"}


def test_times_and_sizes_are_the_askers(tmp_path: Path) -> None:
    clip = make_video(tmp_path / "a <b> & c.mp4", 50, size="640x480")
    done = sheet(clip, tmp_path / "sheet", "--at", "1.99", "--at", "0:01", "--at", "1", "--size", "240p")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "sheet" / "index.html").read_text()
    assert "a &lt;b&gt; &amp; c.mp4" in page
    assert "source-2.jpg" in page
    assert "source-3.jpg" not in page, "two of the times are one frame"
    with Image.open(tmp_path / "sheet" / "source-1.jpg") as picture:
        assert picture.size == (320, 240)


def test_a_sheet_shows_every_filter_of_this_machine_once_and_is_painted_once(clip: Path, store: FolderStore) -> None:
    request = SheetRequest.parse({"source": str(clip), "at": ["0"]})
    here = [one.name for one in catalogue.catalogue().values() if one.engine in ("onnx", "classical")]
    assert request.names == here
    made = make_sheet(request, store, "r", 2)
    folder = (store.root / made["page"]).parent
    assert {path.name for path in folder.glob("*-1.jpg")} == {f"{name}-1.jpg" for name in ["source", *here]}
    times = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert make_sheet(request, store, "r", 2) == made
    assert times == {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert make_sheet(request.model_copy(update={"strength": 0.5, "filters": FILTERS}), store, "r", 2) != made


def test_a_filter_painted_on_a_sheet_is_the_one_that_its_name_says(clip: Path, tmp_path: Path) -> None:
    assert sheet(clip, tmp_path / "sheet", "--size", "source").returncode == 0
    pictures = {name: frame_hashes(tmp_path / "sheet" / f"{name}-2.jpg", "yuvj420p") for name in ("source", *FILTERS)}
    assert len({tuple(one) for one in pictures.values()}) == 3


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"filters": ["nope"]}, "There is no filter 'nope'"),
        ({"filters": ["deepfilter"]}, "deepfilter paints elsewhere"),
        ({"at": ["noon"]}, "at.0 is 'noon', which is no time"),
        ({"at": ["1"] * 13}, "at most 12"),
        ({"size": "big"}, "size is 'big'"),
        ({"strength": 2}, "strength is 2"),
        ({"colour": "red"}, "did you mean keep_colours?"),
    ],
)
def test_a_bad_sheet_is_refused_in_a_sentence(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(Refused, match=re.escape(says)):
        SheetRequest.parse({"source": "a.mp4", **fields})


@pytest.mark.parametrize(
    ("options", "says"),
    [(("--at", "1:00"), "ends at 00:01.92; there is no frame at 1:00"), (("--size", "huge"), "size is 'huge'")],
)
def test_a_sheet_that_cannot_be_made_leaves_no_folder(clip: Path, tmp_path: Path, options: tuple, says: str) -> None:
    done = sheet(clip, tmp_path / "sheet", *options)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_there_is_left_alone(clip: Path, tmp_path: Path) -> None:
    done = sheet(clip, tmp_path)
    assert (done.returncode, list(tmp_path.iterdir())) == (2, [])
    assert "choose another name" in done.stderr


def test_a_frame_of_each_scene(tmp_path: Path) -> None:
    """Three colours of 12, 24 and 12 frames: the middle of each."""
    scenes = [f"color=c={colour}:s=160x90:r=25:d={seconds}" for colour, seconds in zip("rgb", (0.48, 0.96, 0.48))]
    named = [scene.replace("c=r:", "c=red:").replace("c=g:", "c=lime:").replace("c=b:", "c=blue:") for scene in scenes]
    inputs = [part for scene in named for part in ("-f", "lavfi", "-i", scene)]
    clip = tmp_path / "scenes.mp4"
    ffmpeg(*inputs, "-filter_complex", "concat=n=3", "-pix_fmt", "yuv420p", clip)
    source, _ = open_source(clip, tmp_path)
    request = SheetRequest.parse({"source": str(clip), "scenes": True})
    assert request.frames(source) == [6, 24, 42]


def test_times_may_be_numbers(clip: Path, tmp_path: Path) -> None:
    source, _ = open_source(clip, tmp_path)
    assert SheetRequest.parse({"source": str(clip), "at": [1, "0.5", ""]}).frames(source) == [12, 25]


def test_filters_can_be_chosen_by_tag() -> None:
    chosen = SheetRequest.parse({"source": "a.mp4", "tag": "mosaic"}).names
    assert chosen == [name for name in catalogue.here() if "mosaic" in catalogue.get(name).tags]
    assert 1 < len(chosen) < len(catalogue.here())


@pytest.mark.parametrize(
    ("fields", "says"),
    [({"tag": "nice"}, "There is no tag 'nice'; the tags are"), ({"scenes": True, "at": ["1"]}, "at once")],
)
def test_what_cannot_be_chosen_by_is_refused(fields: dict, says: str) -> None:
    with pytest.raises(Refused, match=says):
        SheetRequest.parse({"source": "a.mp4", **fields})
