"""`python -m rotoscope`, as its users run it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rotoscope.filters import catalogue
from tests.media import frame_hashes, sound_hash, timestamps


def rotoscope(*arguments: str | bytes | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "rotoscope", *arguments], capture_output=True, text=True)


def test_probe_prints_json(clip: Path) -> None:
    done = rotoscope("probe", clip)
    assert done.returncode == 0
    assert json.loads(done.stdout)["frames"] == 48


def test_paint_writes_the_painted_video(clip: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    done = rotoscope("paint", clip, "-o", output, "--filter", "sea-mist")
    assert (done.returncode, done.stdout) == (0, "")
    assert "48 frames" in done.stderr
    assert timestamps(output) == timestamps(clip)
    assert sound_hash(output) == sound_hash(clip)
    assert not set(frame_hashes(output)) & set(frame_hashes(clip))
    assert list(tmp_path.iterdir()) == [output]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("probe", "nowhere.mp4"), "There is no file nowhere.mp4"),
        (("probe", "ftp://example.com/a.mp4"), "ftp:// cannot be fetched; give an http(s), s3://"),
        (("probe", b"bad\xff.mp4"), "is not a name in UTF-8"),
        (("probe",), "Missing argument 'FILE'."),
        (("paint", "CLIP", "-o", "/dev/null", "--format", "mp4"), "/dev/null is not a file that can be written over"),
        (("paint", "CLIP", "-o", "out.mp4", "--filter", "sea-mist", "--threads", "x"), "'x' is not a valid integer"),
        (("paint", "nowhere.mp4", "-o", "out.mp4"), "There is no file nowhere.mp4"),
        (
            ("paint", "CLIP", "-o", "out.docx"),
            "Files ending in .docx cannot be written; end the name in one of .gif, .mkv, .mov, .mp4, .webm,",
        ),
        (("paint", "CLIP", "-o", "no/such/out.mp4"), "no/such; make it first"),
        (("paint", "CLIP", "-o", "/tmp", "--format", "mp4"), "/tmp is a folder; name a file in it"),
        (("paint", "CLIP", "-o", "out.mp4", "--filter", "oil", "--style", "a.png"), "Give --filter or --style, not"),
        (("paint", "CLIP", "-o", "out.mp4", "--filter", "nope"), "There is no filter 'nope'"),
        (("paint", "CLIP", "-o", "out.mp4", "--strength", "2"), "strength is 2.0, but it should be less than"),
    ],
)
def test_a_refusal_is_one_sentence_and_exit_code_2(clip: Path, arguments: tuple[str, ...], says: str) -> None:
    done = rotoscope(*(str(clip) if argument == "CLIP" else argument for argument in arguments))
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_file_is_painted_in_the_format_that_its_name_asks_for(clip: Path, tmp_path: Path) -> None:
    for name, codec in (("out.mp4", "h264"), ("out.mov", "h264")):
        rotoscope("paint", clip, "-o", tmp_path / name, "--filter", "identity")
        assert json.loads(rotoscope("probe", tmp_path / name).stdout)["codec"] == codec


def test_an_ended_command_leaves_nothing_half_written(clip: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "rotoscope",
        "paint",
        str(clip),
        "-o",
        str(tmp_path / "out.mp4"),
        "--size",
        "1080p",
    ]
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while not list(tmp_path.glob("*/*")):
        assert child.poll() is None
    child.terminate()
    assert child.wait(30) == 128 + 15
    assert list(tmp_path.iterdir()) == []


def test_painting_writes_nothing_below_the_home_folder(clip: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    command = ["-m", "rotoscope", "paint", str(clip), "-o", str(tmp_path / "out.mp4"), "--end", "0.1"]
    subprocess.run([sys.executable, *command], check=True, env={**os.environ, "HOME": str(home)}, capture_output=True)
    assert list(home.iterdir()) == []


def test_help_lists_every_field() -> None:
    text = rotoscope("paint", "--help").stdout
    assert all(f"--{field}" in text for field in ("filter", "strength", "keep-colours", "start", "end", "size", "fps"))


def test_filters_are_listed_with_a_sentence() -> None:
    lines = rotoscope("filters").stdout.splitlines()
    assert len(lines) == len(catalogue.catalogue())
    assert len(rotoscope("filters", "--tag", "mosaic").stdout.splitlines()) == len(catalogue.here("mosaic"))
    assert any(line.startswith("starlit-swirl ") and line.endswith("night sky. #bold #strokes #cool") for line in lines)
