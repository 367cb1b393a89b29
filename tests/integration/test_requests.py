"""Requests over REST to a running Airflow: scheduler, executor and worker processes as in production."""

import json
import os
import signal
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tools.local import LocalAirflow

from rotoscope.steps import progress
from rotoscope.store import keys
from rotoscope.store.folder import FolderStore
from tests.media import duration, make_video, sound_hash, timestamps

pytestmark = pytest.mark.xdist_group("airflow")  # one Airflow for all of them

Tasks = dict[int, dict[str, Any]]


def filter_tasks(airflow: LocalAirflow, run_id: str) -> Tasks:
    return {task["map_index"]: task for task in airflow.tasks(run_id) if task["task_id"] == "filter"}


def messages(airflow: LocalAirflow, run_id: str, index: int) -> str:
    return "\n".join(str(entry.get("event")) for entry in airflow.log(run_id, "filter", index))


def painted_times(store: FolderStore) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in store.root.glob("painted/*/*.nut")}


def test_the_demos_clip_keeps_frames_timing_and_sound_and_is_painted_once(
    airflow: LocalAirflow, airflow_store: FolderStore, demo_clip: Path
) -> None:
    conf = {"source": str(demo_clip), "filter": "sea-mist", "size": "240p", "chunk_frames": 80}
    first = airflow.trigger(conf)
    assert airflow.wait(first) == "success"
    result = Path(airflow_store.address(airflow.xcom(first, "assemble")["video"]))
    assert len(timestamps(result)) == 132
    assert timestamps(result) == timestamps(demo_clip)
    assert duration(result) == duration(demo_clip)
    assert sound_hash(result) == sound_hash(demo_clip)

    painted = painted_times(airflow_store)
    second = airflow.trigger(conf)
    assert airflow.wait(second) == "success"
    assert painted_times(airflow_store) == painted
    assert all("was painted before" in messages(airflow, second, index) for index in range(2))
    assert airflow.xcom(second, "assemble") == airflow.xcom(first, "assemble")


def test_a_killed_filter_task_is_tried_again_and_only_its_chunk_is_painted_twice(
    airflow: LocalAirflow, airflow_store: FolderStore, tmp_path: Path
) -> None:
    source = make_video(tmp_path / "long.mp4", frames=160, size="320x180")
    run_id = airflow.trigger({"source": str(source), "filter": "lava-glow", "chunk_frames": 80})
    victim = _half_painted(airflow, airflow_store, run_id)
    os.kill(victim["pid"], signal.SIGKILL)
    assert airflow.wait(run_id) == "success"
    tries = {index: task["try_number"] for index, task in filter_tasks(airflow, run_id).items()}
    assert tries == {index: 2 if index == victim["map_index"] else 1 for index in (0, 1)}
    result = Path(airflow_store.address(airflow.xcom(run_id, "assemble")["video"]))
    assert timestamps(result) == timestamps(source)
    assert not (airflow_store.root / keys.run(run_id)).exists()


def _half_painted(airflow: LocalAirflow, store: FolderStore, run_id: str) -> dict[str, Any]:
    """A filter task that has painted some frames of its chunk and not all."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for index, task in filter_tasks(airflow, run_id).items():
            done, total = progress.read(store, run_id, progress.chunk_step(index))
            if task["state"] == "running" and 0 < done < total:
                return task
        time.sleep(0.1)
    pytest.fail("no filter task was seen half way")


def test_a_cleared_mapped_task_is_redone_alone(
    airflow: LocalAirflow, airflow_store: FolderStore, tmp_path: Path
) -> None:
    source = make_video(tmp_path / "three.mp4", frames=30)
    run_id = airflow.trigger({"source": str(source), "filter": "terracotta", "chunk_frames": 10})
    assert airflow.wait(run_id) == "success"
    before = painted_times(airflow_store)
    plan = airflow_store.get_json(airflow.xcom(run_id, "split", "plan"))
    lost = keys.painted(plan["chunks"][1]["digest"])
    airflow_store.delete(lost)

    body = {"dry_run": False, "dag_run_id": run_id, "task_ids": [["filter", 1]], "include_downstream": True}
    airflow.call(
        "POST", "/api/v2/dags/rotoscope/clearTaskInstances", json={**body, "only_failed": False}
    ).raise_for_status()
    assert airflow.wait(run_id) == "success"
    tries = {index: task["try_number"] for index, task in filter_tasks(airflow, run_id).items()}
    assert tries == {0: 1, 1: 2, 2: 1}
    after = painted_times(airflow_store)
    its = {Path(keys.painted(chunk["digest"])).name for chunk in plan["chunks"]}
    assert {name for name in its if after[name] != before[name]} == {Path(lost).name}


@pytest.mark.slow
def test_ten_requests_at_once_end_well_side_by_side_within_the_pools(airflow: LocalAirflow, tmp_path: Path) -> None:
    sources = [make_video(tmp_path / f"{i}.mp4", frames=24 + i, size="320x180") for i in range(10)]
    runs = [airflow.trigger({"source": str(source), "filter": "sea-mist", "chunk_frames": 9}) for source in sources]
    assert [airflow.wait(run) for run in runs] == ["success"] * 10
    tasks = [task for run in runs for task in airflow.tasks(run)]
    most = {pool: _most_at_once(tasks, pool) for pool in ("split", "filter", "assemble")}
    assert most["filter"] == 2
    assert most["split"] <= 2
    assert most["assemble"] == 1


def _most_at_once(tasks: list[dict[str, Any]], pool: str) -> int:
    """How many tasks of a pool ran at the same moment, at most."""
    moments = []
    for task in tasks:
        if task["pool"] == pool:
            start, end = (datetime.fromisoformat(task[at]) for at in ("start_date", "end_date"))
            moments += [(start, 1), (end, -1)]
    running = most = 0
    for _, change in sorted(moments):
        running += change
        most = max(most, running)
    return most


def test_a_source_that_is_none_fails_once_with_a_sentence_and_stores_nothing(
    airflow: LocalAirflow, airflow_store: FolderStore, tmp_path: Path
) -> None:
    text = tmp_path / "diary.mp4"
    text.write_text("Dear diary\n")
    before = {path for path in airflow_store.root.rglob("*") if path.is_file()}
    run_id = airflow.trigger({"source": str(text)})
    assert airflow.wait(run_id) == "failed"
    (error,) = airflow.errors(run_id, "split")
    assert error.startswith("diary.mp4 is not a video that can be read; give a video file")
    (split,) = [task for task in airflow.tasks(run_id) if task["task_id"] == "split"]
    assert split["try_number"] == 1
    (reason,) = {path for path in airflow_store.root.rglob("*") if path.is_file()} - before
    assert reason == airflow_store.root / keys.failure("rotoscope", run_id)
    assert error.startswith(json.loads(reason.read_text())["reason"])


def test_a_bad_conf_is_refused_before_a_run_starts(airflow: LocalAirflow) -> None:
    with pytest.raises(ValueError, match="strength"):
        airflow.trigger({"source": "a.mp4", "strength": 7})
