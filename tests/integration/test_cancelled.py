"""A request that is cancelled while a task of it still writes."""

import time
from datetime import datetime
from pathlib import Path

import pytest
from tools.local import LocalAirflow

from rotoscope.store import keys
from rotoscope.store.folder import FolderStore
from tests.integration.held_back import held_back
from tests.media import make_video

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("airflow")]
LATE = 4
"""Seconds after a cancellation in which a task may still write: its process is told to end at the next heartbeat, after
1 s, and is killed 5 s later."""


def test_a_run_is_cleaned_up_when_its_last_process_has_ended(
    airflow: LocalAirflow, airflow_store: FolderStore, tmp_path: Path
) -> None:
    with held_back(make_video(tmp_path / "clip.mp4", frames=60, size="160x90").read_bytes()) as clip:
        run_id = airflow.trigger({"source": clip.url, "filter": "identity", "chunk_frames": 20})
        assert clip.asked.wait(60)
        airflow.call("PATCH", f"/api/v2/dags/rotoscope/dagRuns/{run_id}", json={"state": "failed"}).raise_for_status()
        time.sleep(LATE)
        clip.let_go.set()
        airflow.wait(run_id)
    last_word = datetime.fromisoformat(airflow.log(run_id, "split")[-1]["timestamp"])
    (clean_up,) = [task for task in airflow.tasks(run_id) if task["task_id"] == "clean_up"]
    assert datetime.fromisoformat(clean_up["end_date"]) > last_word
    assert not (airflow_store.root / keys.run(run_id)).exists()
