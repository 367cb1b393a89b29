"""What each stage costs, measured in a process of its own with the ffmpeg processes that it starts.

`python -m benchmarks.stages STAGE CONF STORE` runs one stage of the request CONF (JSON); `cost` runs it and watches.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from rotoscope.request import Request
from rotoscope.steps.assemble import assemble
from rotoscope.steps.paint import paint_chunk
from rotoscope.steps.split import split
from rotoscope.store import keys
from rotoscope.store.folder import FolderStore

RUN = "benchmark"
STAGES = ("split", "filter", "assemble")
PLAN = "plan-key"


@dataclass(frozen=True)
class Cost:
    """processor: seconds of it that all processes took; peak: the most memory in MB that they had resident together."""

    processor: float
    peak: float


def cost(stage: str, conf: dict[str, Any], store: Path) -> Cost:
    """Run a stage; the ones before it must have run in the same store. Raises CalledProcessError if it fails."""
    command = [sys.executable, "-m", "benchmarks.stages", stage, json.dumps(conf), str(store)]
    child = subprocess.Popen(command)
    watched, most = psutil.Process(child.pid), 0
    while True:
        ended, status, used = os.wait4(child.pid, os.WNOHANG)
        if ended:
            break
        most = max(most, _resident(watched))
        time.sleep(0.02)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
    return Cost(used.ru_utime + used.ru_stime, most / 1e6)


def _resident(process: psutil.Process) -> int:
    total = 0
    try:
        for one in (process, *process.children(recursive=True)):
            total += one.memory_info().rss
    except psutil.NoSuchProcess:
        pass
    return total


def painted_bytes(store: FolderStore, plan: dict[str, Any], name: str = "digest") -> int:
    """Bytes of a plan's painted chunks: in the delivery codec, or by the name `lossless` those that were kept."""
    return sum(store.get_json(keys.painted_record(chunk[name]))["size_bytes"] for chunk in plan["chunks"])


def run_stage(stage: str, conf: dict[str, Any], root: Path) -> None:
    """One stage of a request."""
    store, note = FolderStore(root), root / PLAN
    if stage == "split":
        note.write_text(split(Request.parse(conf), store, RUN, slots=2, threads=1)[0])
    elif stage == "filter":
        for index in range(len(store.get_json(note.read_text())["chunks"])):
            paint_chunk(store, note.read_text(), index, RUN, threads=1)
    else:
        assemble(store, note.read_text(), RUN)


if __name__ == "__main__":
    run_stage(sys.argv[1], json.loads(sys.argv[2]), Path(sys.argv[3]))
