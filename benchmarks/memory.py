"""Peak memory of each stage, measured in a process of its own with the ffmpeg processes that it starts.

`python -m benchmarks.memory STAGE SOURCE STORE` runs one stage; `peak` runs it and watches.
"""

import subprocess
import sys
import time
from pathlib import Path

import psutil

from rotoscope.request import Request
from rotoscope.steps.assemble import assemble
from rotoscope.steps.paint import paint_chunk
from rotoscope.steps.split import split
from rotoscope.store.folder import FolderStore

RUN = "benchmark"
STAGES = ("split", "filter", "assemble")
PLAN = "plan-key"


def peak(stage: str, source: Path, store: Path) -> float:
    """The most memory in MB that the processes of a stage had resident together."""
    command = [sys.executable, "-m", "benchmarks.memory", stage, str(source), str(store)]
    child = subprocess.Popen(command)
    watched = psutil.Process(child.pid)
    most = 0
    while child.poll() is None:
        most = max(most, _resident(watched))
        time.sleep(0.02)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
    return most / 1e6


def _resident(process: psutil.Process) -> int:
    total = 0
    try:
        for one in (process, *process.children(recursive=True)):
            total += one.memory_info().rss
    except psutil.NoSuchProcess:
        pass
    return total


def run_stage(stage: str, source: Path, root: Path) -> None:
    """One stage of a request whose chunks have 500 frames."""
    store, note = FolderStore(root), root / PLAN
    request = Request.parse({"source": str(source), "filter": "identity", "chunk_frames": 500})
    if stage == "split":
        note.write_text(split(request, store, RUN, slots=2, threads=1)[0])
    elif stage == "filter":
        for index in range(len(store.get_json(note.read_text())["chunks"])):
            paint_chunk(store, note.read_text(), index, RUN, threads=1)
    else:
        assemble(store, note.read_text(), RUN)


if __name__ == "__main__":
    run_stage(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
