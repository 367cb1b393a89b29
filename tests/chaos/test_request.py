"""A request on a cluster: the frames of one machine, each task on its queue and in its pool."""

import json
from pathlib import Path

import pytest
from tools.local import LocalAirflow

from tests.chaos.scene import Scene
from tests.media import frame_hashes, make_video

pytestmark = pytest.mark.cluster
PLACES = {
    ("split", "split", "split"),
    ("filter", "filter", "filter"),
    ("assemble", "assemble", "assemble"),
    ("clean_up", "assemble", "default_pool"),
}


def test_a_request_gives_the_frames_of_one_machine_on_the_queues_and_pools_as_designed(
    scene: Scene, tmp_path: Path
) -> None:
    video = make_video(tmp_path / "both.mp4", frames=90, size="320x180")
    conf = {"source": str(video), "filter": "sea-mist", "chunk_frames": 20, "steady": 0.5}
    run_id = scene.cluster.trigger(conf)
    here = embedded(conf, tmp_path)
    assert scene.cluster.wait(run_id) == "success"
    with scene.store.local(scene.cluster.xcom(run_id, "assemble")["video"]) as result:
        assert frame_hashes(result) == frame_hashes(here)
    tasks = scene.cluster.tasks(run_id)
    assert {(one["task_id"], one["queue"], one["pool"]) for one in tasks} == PLACES
    scene.left(run_id)


def test_a_worker_has_imported_what_tasks_need(scene: Scene) -> None:
    worker = scene.cluster.process("worker-filter-1")
    assert worker is not None
    assert any("/cv2/" in mapped.path for mapped in worker.memory_maps())


def embedded(conf: dict[str, object], folder: Path) -> Path:
    """The result of a request on LocalExecutor and SQLite, with a folder for the store."""
    store = {"conn_type": "fs", "extra": {"path": str(folder / "store")}}
    airflow = LocalAirflow(folder / "home", {"AIRFLOW_CONN_ROTOSCOPE_STORE": json.dumps(store)})
    try:
        airflow.up()
        run_id = airflow.trigger(conf)
        assert airflow.wait(run_id) == "success"
        return folder / "store" / airflow.xcom(run_id, "assemble")["video"]
    finally:
        airflow.down()
