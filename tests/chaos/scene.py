"""What every fault is tried on: a request of its own video, a look at what became of it, and a line in the matrix."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psutil
from tools.cluster import Cluster

from rotoscope.store import keys
from rotoscope.store.s3 import S3Store
from tests.chaos.proxy import Proxy
from tests.media import make_video, sound_hash, timestamps

SECONDS = 300
CLEAN_SECONDS = 60
"""In which what is left after a run must be gone."""
FILTER = "starlit-swirl"


@dataclass
class Fault:
    """A line of the matrix. repeated: tasks that ran again; recovered: seconds from the fault to the end of the run."""

    name: str
    outcome: str
    repeated: int
    recovered: float


@dataclass
class Scene:
    """A cluster, its bucket, the proxy before that, and what was found out so far."""

    cluster: Cluster
    store: S3Store
    proxy: Proxy
    faults: list[Fault] = field(default_factory=list)
    videos: int = 0

    def request(self, folder: Path, frames: int = 60, **fields: Any) -> tuple[str, Path]:
        """Ask for a video that nobody asked for before, in chunks of 30 frames; gives the run and the video."""
        self.videos += 1
        video = make_video(folder / f"{self.videos}.mp4", frames=frames + self.videos, size="320x180", gop=15)
        conf = {"source": str(video), "filter": FILTER, "chunk_frames": 30, **fields}
        return self.cluster.trigger(conf), video

    def until(self, ask: Callable[[], Any], what: str) -> Any:
        """Wait for something; gives it."""
        deadline = time.monotonic() + SECONDS
        while not (found := ask()):
            assert time.monotonic() < deadline, f"{what} was not seen"
            time.sleep(0.1)
        return found

    def running(self, run_id: str, task_id: str) -> dict[str, Any]:
        """A task of the run while it runs and has a process."""
        found: dict[str, Any] = self.until(lambda: self._running(run_id, task_id), f"a running {task_id}")
        return found

    def _running(self, run_id: str, task_id: str) -> dict[str, Any] | None:
        tasks = [one for one in self.cluster.tasks(run_id) if one["task_id"] == task_id and one["state"] == "running"]
        return next((one for one in tasks if one["pid"]), None)

    def ended(self, name: str, run_id: str, video: Path, since: float) -> None:
        """The run ends well, its result is whole, nothing is left, and only what was under way was done again."""
        assert self.cluster.wait(run_id, SECONDS, 0.5) == "success"
        self.whole(run_id, video)
        self.left(run_id)
        again = sum(max(one["try_number"] - 1, 0) for one in self.cluster.tasks(run_id))
        self.faults.append(Fault(name, "whole", again, time.monotonic() - since))

    def whole(self, run_id: str, video: Path) -> None:
        """No frame is lost, and the sound is the source's."""
        key = self.cluster.xcom(run_id, "assemble")["video"]
        with self.store.local(key) as result:
            assert timestamps(result) == timestamps(video)
            assert sound_hash(result) == sound_hash(video)

    def left(self, run_id: str) -> None:
        """No object of the run is left, no upload is half done, and no process paints on."""
        deadline = time.monotonic() + CLEAN_SECONDS
        while left := [*self.store.below(keys.run(run_id)), *map(str, self.store.unfinished()), *self._strays()]:
            assert time.monotonic() < deadline, left
            time.sleep(0.5)

    def _strays(self) -> list[str]:
        found = psutil.process_iter(["name", "environ"])
        home = str(self.cluster.home)
        ours = [one for one in found if (one.info["environ"] or {}).get("AIRFLOW_HOME") == home]
        return [f"{one.info['name']} {one.pid}" for one in ours if one.info["name"] in ("ffmpeg", "ffprobe")]

    def kill(self, *names: str) -> None:
        """SIGKILL of components with all their children, as when a machine is gone."""
        for name in names:
            main = self.cluster.process(name)
            assert main is not None
            for one in [main, *main.children(recursive=True)]:
                one.kill()
            psutil.wait_procs([main], 10)

    def revive(self) -> None:
        """Start what is dead, as whatever keeps services running does."""
        for name, command in {**self.cluster.services(), **self.cluster.components()}.items():
            if self.cluster.process(name) is None:
                self.cluster.start(name, command)

    def worker_of(self, task: dict[str, Any]) -> str:
        """The worker in which a task runs."""
        above = {one.pid for one in psutil.Process(task["pid"]).parents()}
        for name in self.cluster.components():
            main = self.cluster.process(name)
            if name.startswith("worker-") and main and main.pid in above:
                return name
        raise AssertionError(f"process {task['pid']} is of no worker")


class PoolWatch:
    """Looks at the pools while a block runs; `over` are those that were seen with more tasks than slots."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self.over, self._stop = cluster, set[str](), Event()
        self._thread = Thread(target=self._look, daemon=True)

    def __enter__(self) -> "PoolWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(1):
            try:
                pools = self.cluster.call("GET", "/api/v2/pools").json()["pools"]
            except (OSError, KeyError, ValueError):
                continue  # what they do meanwhile is seen later
            self.over |= {pool["name"] for pool in pools if pool["occupied_slots"] > pool["slots"]}


def table(faults: list[Fault]) -> str:
    """The matrix, in Markdown."""
    lines = ["| fault | outcome | tasks run again | seconds to the end |", "|---|---|---|---|"]
    lines += [f"| {one.name} | {one.outcome} | {one.repeated} | {one.recovered:.0f} |" for one in faults]
    return "\n".join(lines) + "\n"
