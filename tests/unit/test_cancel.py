"""A request that is ended at any moment leaves no process behind, and in the store only finished, valid objects."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rotoscope.store.folder import FolderStore
from tests.media import make_video
from tests.sampling import one_in

REQUEST = """
import sys
from pathlib import Path
from rotoscope.request import Request
from rotoscope.steps.assemble import assemble
from rotoscope.steps.paint import paint_chunk
from rotoscope.steps.split import split
from rotoscope.store.folder import FolderStore

store = FolderStore(Path(sys.argv[2]))
request = Request.parse({"source": sys.argv[1], "filter": "sea-mist", "chunk_frames": 8})
print("begun", flush=True)
key, plan = split(request, store, "run", 1, 1)
for chunk in plan.chunks:
    paint_chunk(store, key, chunk.index, "run", 1)
assemble(store, key, "run")
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("media") / "source.mp4", frames=32, size="320x180")


def start(source: Path, root: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", REQUEST, str(source), str(root)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "begun\n"
    return child


def still_running(root: Path) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_text()
        except (OSError, UnicodeDecodeError):
            continue
        if entry.name.isdigit() and entry.name != str(os.getpid()) and str(root) in command:
            found.append(command)
    return found


def check(root: Path) -> None:
    """Every JSON document is whole, and whatever has a record is what the record says."""
    for path in root.rglob("*.json"):
        if "work-" not in str(path):
            json.loads(path.read_text())
    for record in root.glob("painted/*/*.json"):
        painted = record.with_suffix(".nut").read_bytes()
        assert hashlib.sha256(painted).hexdigest() == json.loads(record.read_text())["sha256"]
    for manifest in root.glob("videos/*/manifest.json"):
        kept = (manifest.parent / "source").read_bytes()
        assert hashlib.sha256(kept).hexdigest() == manifest.parent.name
    for provenance in root.glob("results/*/provenance.json"):
        assert all((root / key).is_file() for key in json.loads(provenance.read_text())["objects"].values())


@pytest.mark.parametrize("how", one_in(2, [signal.SIGKILL, signal.SIGTERM]))
@pytest.mark.parametrize("seconds", one_in(5, [1.5, 0.05, 0.3, 0.8, 2.5]))
def test_a_request_that_is_ended_leaves_only_what_is_finished(
    source: Path, tmp_path: Path, how: signal.Signals, seconds: float
) -> None:
    child = start(source, tmp_path / "store")
    time.sleep(seconds)
    child.send_signal(how)
    child.wait(30)
    for _ in range(100):
        if not still_running(tmp_path):
            break
        time.sleep(0.05)
    assert not still_running(tmp_path)
    check(tmp_path / "store")
    assert start(source, tmp_path / "store").wait(120) == 0, "what is left can be gone on with"
    check(tmp_path / "store")
    assert len(list(FolderStore(tmp_path / "store").root.glob("results/*/provenance.json"))) == 1
