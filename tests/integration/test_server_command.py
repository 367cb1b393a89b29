"""The half of the command that speaks with a server, as its users run it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from tools.local import LocalAirflow

from tests.media import make_video, sound_hash, timestamps

pytestmark = pytest.mark.xdist_group("airflow")


@pytest.fixture
def server(airflow: LocalAirflow, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("ROTOSCOPE_SERVER", airflow.url)
    monkeypatch.setenv("ROTOSCOPE_TOKEN", airflow.token)
    return airflow.url


def rotoscope(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rotoscope", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, timeout=120)


def test_submit_brings_the_painted_video(server: str, clip: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    options = ("--option", "end=0:01", "--option", "size=240p", "--option", "keep_colours=true")
    done = rotoscope("submit", clip, "--filter", "sea-mist", "-o", output, *options, "--preset", "fast")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "out.mp4: clip.mp4, painted in 00:" in done.stderr
    assert timestamps(output) == timestamps(clip)[:25]
    assert list(tmp_path.iterdir()) == [output]


def test_detached_ones_are_listed_watched_and_brought(server: str, clip: Path, tmp_path: Path) -> None:
    made = json.loads(rotoscope("submit", clip, "--filter", "pencil@1.0.0", "--detach", "--json").stdout)
    listed = json.loads(rotoscope("list", "--filter", "pencil", "--json").stdout)
    assert made["id"] in [one["id"] for one in listed]
    assert made["id"] in rotoscope("list").stdout
    watched = rotoscope("watch", made["id"], "-o", tmp_path / "out.mp4", "--json")
    assert json.loads(watched.stdout)["state"] == "succeeded"
    assert sound_hash(tmp_path / "out.mp4") == sound_hash(clip)


def test_a_rotoscope_is_cancelled_and_watching_it_fails(server: str, tmp_path: Path) -> None:
    long = make_video(tmp_path / "long.mp4", frames=300, size="640x360")
    made = rotoscope("submit", long, "--filter", "starlit-swirl", "--detach").stdout.strip()
    assert rotoscope("cancel", made).returncode == 0
    watched = rotoscope("watch", made)
    assert (watched.returncode, watched.stderr) == (1, f"{made} is cancelled.\n")


def test_filters_and_sheets_of_a_server(server: str, clip: Path, tmp_path: Path) -> None:
    found = json.loads(rotoscope("filters", "--json", "--tag", "bold").stdout)
    assert all("bold" in one["tags"] for one in found)
    assert "built_in" in found[0], "it asked the server"
    picture = tmp_path / "sheet.jpg"
    done = rotoscope("sheet", clip, "-o", picture, "--filter", "halftone", "--at", "1")
    assert done.returncode == 0, done.stderr
    assert Image.open(picture).format == "JPEG"


@pytest.mark.parametrize(
    ("arguments", "environment", "status", "says"),
    [
        (("list",), {"ROTOSCOPE_TOKEN": ""}, 2, "set ROTOSCOPE_TOKEN"),
        (("list",), {"ROTOSCOPE_TOKEN": "x"}, 2, "Invalid JWT token"),
        (("list",), {"ROTOSCOPE_SERVER": "http://127.0.0.1:9"}, 1, "cannot be reached"),
        (("submit", "CLIP"), {}, 2, "Say with -o"),
        (("submit", "CLIP", "-o", "no/such/out.mp4"), {}, 2, "There is no folder no/such"),
        (("submit", "CLIP", "--detach", "--filter", "nope"), {}, 2, "There is no filter 'nope'"),
        (("submit", "CLIP", "--detach", "--option", "strength"), {}, 2, "write NAME=VALUE"),
        (("submit", "CLIP", "--detach", "--option", "fps=NaN"), {}, 2, "should be a number"),
        (("submit", "CLIP", "--detach", "--option", 'then=["oil"'), {}, 2, 'such as ["oil", "sea-mist:0.5"]'),
        (("submit", "CLIP", "--detach", "--option", "then=oil", "--option", "then=nope"), {}, 2, "no filter 'nope'"),
        (("submit", "CLIP", "-o", "out.avi"), {}, 2, "Files ending in .avi cannot be written"),
        (("submit", "CLIP", "-o", "out.avi", "--option", "format=nope"), {}, 2, "There is no output format 'nope'"),
        (("submit", "CLIP", "-o", "."), {}, 2, ". is a folder"),
        (("submit", "nowhere.mp4", "--detach"), {}, 2, "does not exist"),
        (("submit", "CLIP", "--detach", "--filter", "oil", "--option", "filter=pencil"), {}, 2, "oil and pencil"),
        (("sheet", "CLIP", "-o", "sheet.png"), {}, 2, "as one JPEG; call it sheet.jpg"),
        (("watch", "nothing"), {}, 2, "There is no nothing here"),
    ],
)
def test_a_refusal_is_one_sentence(
    server: str, clip: Path, arguments: tuple[str, ...], environment: dict[str, str], status: int, says: str
) -> None:
    done = rotoscope(*(str(clip) if argument == "CLIP" else argument for argument in arguments), **environment)
    assert done.returncode == status
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_user_may_give_name_and_password(airflow: LocalAirflow) -> None:
    who = {"ROTOSCOPE_USER": "admin", "ROTOSCOPE_PASSWORD": airflow.password, "ROTOSCOPE_SERVER": airflow.url}
    assert rotoscope("list", "--json", **who).returncode == 0
    wrong = rotoscope("list", **{**who, "ROTOSCOPE_PASSWORD": "wrong"})
    assert wrong.returncode == 2
