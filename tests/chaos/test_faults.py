"""Faults: whatever dies, no frame is lost, nothing finished is done again, and nothing is left."""

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from rotoscope.store import keys
from tests.chaos.proxy import Mood
from tests.chaos.scene import FILTER, Fault, Scene
from tests.media import make_video

pytestmark = pytest.mark.cluster
GONE_SECONDS = 30


def slow(value: str) -> Any:
    """A value that only the whole matrix tries."""
    return pytest.param(value, marks=pytest.mark.slow)


@pytest.mark.parametrize("task_id", [slow("split"), "filter", slow("assemble"), slow("clean_up")])
def test_a_worker_is_killed(scene: Scene, tmp_path: Path, task_id: str) -> None:
    run_id, video = scene.request(tmp_path)
    worker = scene.worker_of(scene.running(run_id, task_id))
    since = time.monotonic()
    scene.kill(worker)
    scene.revive()
    scene.ended(f"SIGKILL of the worker in {task_id}", run_id, video, since)
    assert scene.faults[-1].repeated == 1


@pytest.mark.slow
def test_the_scheduler_is_killed(scene: Scene, tmp_path: Path) -> None:
    run_id, video = scene.request(tmp_path)
    scene.running(run_id, "filter")
    since = time.monotonic()
    scene.kill("scheduler")
    scene.revive()
    scene.ended("SIGKILL of the scheduler", run_id, video, since)
    assert scene.faults[-1].repeated == 0


@pytest.mark.slow
def test_the_triggerer_is_killed_while_a_batch_waits(scene: Scene, tmp_path: Path) -> None:
    batch = started(scene, [make_video(tmp_path / "waits.mp4", frames=45, size="320x180")])
    scene.until(lambda: states(scene, batch, "paint") == ["deferred"], "a batch that waits")
    since = time.monotonic()
    scene.kill("triggerer")
    scene.revive()
    assert scene.cluster.wait(batch, 300, 0.5, "rotoscope_batch") == "success"
    assert scene.cluster.xcom(batch, "report", "counts", "rotoscope_batch")["done"] == 1
    scene.faults.append(Fault("SIGKILL of the triggerer", "whole", 0, time.monotonic() - since))


@pytest.mark.slow
def test_the_database_is_gone_for_a_while(scene: Scene, tmp_path: Path) -> None:
    run_id, video = scene.request(tmp_path)
    scene.running(run_id, "filter")
    since = time.monotonic()
    database = scene.cluster.process("postgres")
    assert database is not None
    database.send_signal(signal.SIGINT)  # what it calls a fast shutdown: every connection is cut
    database.wait(30)
    time.sleep(GONE_SECONDS)
    scene.revive()
    scene.until(scene.cluster.running, "a database")
    time.sleep(5)
    scene.revive()  # who gave up meanwhile is started again, as a supervisor would
    scene.until(lambda: answers(scene), "an API that answers")
    scene.ended(f"the database gone for {GONE_SECONDS} s", run_id, video, since)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mood", "seconds", "name"),
    [("busy", 15, "answers 503 for 15 s"), ("slow", 20, "is slow for 20 s"), ("cut", 10, "cuts off for 10 s")],
)
def test_s3_fails(scene: Scene, tmp_path: Path, mood: Mood, seconds: float, name: str) -> None:
    run_id, video = scene.request(tmp_path)
    scene.running(run_id, "filter")
    since = time.monotonic()
    with scene.proxy.being(mood):
        time.sleep(seconds)
        assert scene.proxy.hit, "the fault met nobody"
    scene.ended(f"S3 {name}", run_id, video, since)


@pytest.mark.slow
def test_a_full_disk(scene: Scene, tmp_path: Path) -> None:
    scratch = scene.cluster.home / "tmp"
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "none", scratch]).returncode:
        pytest.skip("only root may mount a small disk")
    try:
        since = time.monotonic()
        run_id, video = scene.request(tmp_path, frames=400)
        scene.until(lambda: states(scene, run_id, "split") == ["up_for_retry"], "a task that waits to try again")
        assert any("No space left" in error for error in scene.cluster.errors(run_id, "split"))
        subprocess.run(["mount", "-o", "remount,size=1g", scratch], check=True)
        scene.ended("a full disk, until there is room", run_id, video, since)
    finally:
        subprocess.run(["umount", "-l", scratch], check=True)


@pytest.mark.slow
def test_a_worker_whose_clock_is_wrong(scene: Scene, tmp_path: Path) -> None:
    faketime = Path("/usr/bin/faketime")
    if not faketime.exists():
        pytest.skip("there is no faketime here")
    commands = scene.cluster.components()
    scene.kill("worker-filter-1", "worker-filter-2")
    try:
        for name, skew in (("worker-filter-1", "+7 min"), ("worker-filter-2", "-7 min")):
            scene.cluster.start(name, [str(faketime), "-f", skew.replace(" min", "m"), *commands[name]])
        since = time.monotonic()
        run_id, video = scene.request(tmp_path, frames=90)
        scene.ended("clocks of workers 7 min ahead and behind", run_id, video, since)
        assert scene.faults[-1].repeated == 0
    finally:
        scene.kill("worker-filter-1", "worker-filter-2")


@pytest.mark.slow
def test_the_same_request_twice_at_once(scene: Scene, tmp_path: Path) -> None:
    since = time.monotonic()
    first, video = scene.request(tmp_path)
    second = scene.cluster.trigger({"source": str(video), "filter": FILTER, "chunk_frames": 30})
    for run_id in (first, second):
        assert scene.cluster.wait(run_id, 300, 0.5) == "success"
        scene.whole(run_id, video)
        scene.left(run_id)
    one, other = (scene.cluster.xcom(run_id, "assemble")["video"] for run_id in (first, second))
    assert one == other
    scene.faults.append(Fault("the same request twice at once", "one result", 0, time.monotonic() - since))


@pytest.mark.parametrize("task_id", [slow("split"), "filter", slow("assemble")])
def test_a_request_is_cancelled(scene: Scene, tmp_path: Path, task_id: str) -> None:
    run_id, _ = scene.request(tmp_path)
    scene.running(run_id, task_id)
    since = time.monotonic()
    path = f"/api/v2/dags/rotoscope/dagRuns/{run_id}"
    scene.cluster.call("PATCH", path, json={"state": "failed"}).raise_for_status()
    under_way = {"running", "queued", "scheduled", "up_for_retry", "restarting"}
    scene.until(lambda: not {one["state"] for one in scene.cluster.tasks(run_id)} & under_way, "an end")
    scene.left(run_id)
    scene.faults.append(Fault(f"cancelled in {task_id}", "nothing left", 0, time.monotonic() - since))


@pytest.mark.slow
def test_two_batches_at_once(scene: Scene, tmp_path: Path) -> None:
    videos = [make_video(tmp_path / f"{i}.mp4", frames=20 + i, size="160x90") for i in range(3)]
    since = time.monotonic()
    batches = [started(scene, videos[:2], "halftone"), started(scene, videos[1:], "halftone")]
    for batch in batches:
        assert scene.cluster.wait(batch, 300, 0.5, "rotoscope_batch") == "success"
    counts = [scene.cluster.xcom(batch, "report", "counts", "rotoscope_batch") for batch in batches]
    assert all(count["failed"] == 0 for count in counts)
    assert 3 <= sum(count["done"] for count in counts) <= 4
    scene.faults.append(Fault("two batches at once, with a video in common", "whole", 0, time.monotonic() - since))


def test_a_chunk_that_always_fails_is_named_and_the_others_are_kept(scene: Scene, tmp_path: Path) -> None:
    video = with_a_hole(make_video(tmp_path / "hole.mp4", frames=90, size="320x180", gop=1), 70)
    since = time.monotonic()
    run_id = scene.cluster.trigger({"source": str(video), "filter": FILTER, "chunk_frames": 30})
    assert scene.cluster.wait(run_id, 300, 0.5) == "failed"
    reason = scene.store.get_json(keys.failure("rotoscope", run_id))
    assert (reason["task"], reason["map_index"]) == ("filter", 2)
    assert "damaged" in reason["reason"]
    assert sorted(states(scene, run_id, "filter")) == ["failed", "success", "success"]
    scene.left(run_id)
    scene.faults.append(Fault("a chunk that always fails", reason["reason"], 0, time.monotonic() - since))


def with_a_hole(video: Path, frame: int) -> Path:
    """The video, with zeros in place of three packets."""
    asked = ["-select_streams", "v:0", "-show_entries", "packet=pos,size", "-of", "csv=p=0", str(video)]
    said = subprocess.run(["ffprobe", "-v", "error", *asked], check=True, capture_output=True, text=True).stdout
    places = [[int(number) for number in line.split(",")[:2]] for line in said.split()]
    with video.open("r+b") as file:
        for size, place in places[frame : frame + 3]:
            file.seek(place)
            file.write(bytes(size))
    return video


def started(scene: Scene, videos: list[Path], chain: str = FILTER) -> str:
    """A batch over these videos."""
    manifest = {"entries": [{"videos": [str(video) for video in videos], "chains": chain}]}
    return scene.cluster.trigger({"manifest": manifest}, "rotoscope_batch")


def states(scene: Scene, run_id: str, task_id: str) -> list[str]:
    dag = "rotoscope_batch" if task_id == "paint" else "rotoscope"
    return [one["state"] for one in scene.cluster.tasks(run_id, dag) if one["task_id"] == task_id]


def answers(scene: Scene) -> bool:
    try:
        return scene.cluster.healthy("metadatabase", "scheduler")
    except OSError:
        return False
