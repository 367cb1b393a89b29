"""Batches on a running Airflow: what is painted, what is not and why, and what a second run does."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from tools.local import LocalAirflow

from rotoscope.batch.ids import is_of_batch
from rotoscope.batch.schedule import Schedule
from rotoscope.store import keys
from rotoscope.store.folder import FolderStore
from tests.media import make_video

pytestmark = pytest.mark.xdist_group("airflow")
BATCH = "rotoscope_batch"
Rows = dict[str, dict[str, Any]]


def clips(folder: Path, count: int, size: str = "96x64") -> None:
    """Short clips, each with other pictures."""
    for number in range(count):
        make_video(folder / f"clip-{number:02}.mp4", frames=12 + number, size=size, sound=None)


def run(airflow: LocalAirflow, manifest: dict[str, Any], **more: object) -> str:
    return airflow.trigger({"manifest": yaml.safe_dump(manifest), **more}, BATCH)


def report_of(airflow: LocalAirflow, store: FolderStore, run_id: str) -> tuple[dict[str, Any], Rows]:
    kept = airflow.xcom(run_id, "report", "report", BATCH)
    report = json.loads(Path(store.address(kept["report"])).read_text())
    return report, {row["label"]: row for row in report["rows"]}


def children(airflow: LocalAirflow) -> list[dict[str, Any]]:
    answer = airflow.call("GET", "/api/v2/dags/rotoscope/dagRuns", params={"limit": 100})
    return [one for one in answer.json()["dag_runs"] if is_of_batch(one["dag_run_id"])]


def most_at_once(runs: list[dict[str, Any]]) -> int:
    """How many runs were under way together."""
    begun = [(one["queued_at"], 1) for one in runs] + [(one["end_date"], -1) for one in runs]
    running, most = 0, 0
    for _, step in sorted(begun):
        running += step
        most = max(most, running)
    return most


def test_one_broken_clip_stops_nothing_and_a_second_run_does_nothing(
    airflow: LocalAirflow, airflow_store: FolderStore, tmp_path: Path
) -> None:
    inbox = airflow_store.root / "inbox" / "2026-11-24"
    inbox.mkdir(parents=True)
    clips(inbox, 1)
    (inbox / "broken.mp4").write_bytes(b"no video")
    (inbox / "notes.txt").write_text("not meant")
    entry = {"videos": "inbox/{{ ds }}/", "chains": ["halftone", {"filter": "identity", "format": "webm"}]}
    manifest = {"title": "Night", "entries": [{**entry, "must": False}]}
    first = run(airflow, manifest, date="2026-11-24")
    assert airflow.wait(first, dag=BATCH) == "success"
    report, rows = report_of(airflow, airflow_store, first)
    assert (report["done"], report["failed"], report["skipped"]) == (2, 2, 0)
    assert rows["clip-00.mp4, halftone"]["state"] == "done"
    assert "broken.mp4" in rows["broken.mp4, identity"]["reason"]
    page = Path(airflow_store.address(airflow.xcom(first, "report", "report", BATCH)["page"])).read_text()
    assert page.count("data:image/jpeg") == 2
    painted = [one for one in airflow.tasks(rows["clip-00.mp4, halftone"]["run"]) if one["task_id"] == "filter"]
    assert {(one["pool"], one["priority_weight"]) for one in painted} == {("filter_batch", 0)}

    before = len(children(airflow))
    second = run(airflow, manifest, date="2026-11-24")
    assert airflow.wait(second, dag=BATCH) == "success"
    report, rows = report_of(airflow, airflow_store, second)
    assert (report["done"], report["failed"], report["skipped"], report["frames"]) == (0, 2, 2, 0)
    assert len(children(airflow)) == before


def test_a_manifest_is_refused_whole_before_anything_starts(airflow: LocalAirflow) -> None:
    before = len(children(airflow))
    manifest = {"entries": [{"videos": "a.mp4", "chains": "no-such"}, {"videos": "a.mp4", "options": {"size": "9p"}}]}
    refused = run(airflow, manifest)
    assert airflow.wait(refused, dag=BATCH) == "failed"
    (said,) = airflow.errors(refused, "expand", dag=BATCH)
    assert "entries.0: There is no filter 'no-such'" in said
    assert "entries.1: size is '9p'" in said
    assert airflow.errors(refused, "report", dag=BATCH) == [f"Nothing was started. {said}"]
    assert len(children(airflow)) == before


@pytest.mark.slow
def test_what_arrives_in_an_inbox_is_painted_once_and_a_schedule_can_be_backfilled(
    airflow: LocalAirflow, airflow_store: FolderStore, tmp_path: Path
) -> None:
    inbox = {"name": "arrivals", "inbox": "arrivals/", "paint": {"chains": ["pencil"]}}
    paint = {"entries": [{"videos": "days/{{ ds }}/*", "chains": "oil"}]}
    nightly = {"name": "nightly", "cron": "0 3 * * *", "zone": "Europe/Berlin", "manifest": paint}
    for one in (inbox, nightly):
        Schedule.of(one)
        airflow_store.replace_json(keys.schedule(str(one["name"])), one)
    _await(lambda: airflow.call("GET", "/api/v2/dags/schedule_arrivals").ok)
    _await(lambda: airflow.call("GET", "/api/v2/dags/schedule_nightly").ok)
    day = airflow_store.root / "days" / "2026-11-20"
    day.mkdir(parents=True)
    clips(day, 1)
    path = airflow_store.root / "arrivals" / "flight [1].mp4"
    path.parent.mkdir(parents=True)
    shutil.copy(make_video(tmp_path / "flight.mp4", frames=12, size="96x64"), path)

    past = {"dag_id": "schedule_nightly", "from_date": "2026-11-20T00:00:00Z", "to_date": "2026-11-21T00:00:00Z"}
    # Where SQLite was busy Airflow answers 503, and 409 until it has forgotten what it left half made.
    _await(lambda: airflow.call("POST", "/api/v2/backfills", json=past).ok)
    arrived = _await(lambda: _done(airflow, "schedule_arrivals"))
    night = _await(lambda: _done(airflow, "schedule_nightly", "backfill"))
    for run_id, label in ((arrived, "flight [1].mp4, pencil"), (night, "clip-00.mp4, oil")):
        _, rows = report_of(airflow, airflow_store, run_id)
        assert [(row["label"], row["state"]) for row in rows.values()] == [(label, "done")]
    assert night.startswith("schedule-nightly-20261120T030000")
    time.sleep(25)  # two more looks
    assert len(_runs(airflow, "schedule_arrivals")) == 1


@pytest.mark.slow
def test_a_batch_that_is_late_goes_on_and_the_triggerer_says_so(
    airflow: LocalAirflow, airflow_store: FolderStore, tmp_path: Path
) -> None:
    clips(tmp_path, 1)
    paint = {"entries": [{"videos": f"{tmp_path}/*.mp4", "chains": "pencil"}]}
    late = {"name": "late", "every": 86400, "deadline": 1, "enabled": False, "manifest": paint}
    Schedule.of(late)
    airflow_store.replace_json(keys.schedule("late"), late)
    _await(lambda: airflow.call("GET", "/api/v2/dags/schedule_late").ok)
    late_run = airflow.trigger({}, "schedule_late")
    assert airflow.wait(late_run, dag="schedule_late") == "success"
    said = f"schedule_late is late: its run {late_run} was to be over by"
    _await(lambda: said in (airflow.home / "triggerer.log").read_text())


def _done(airflow: LocalAirflow, dag: str, kind: str = "asset_triggered") -> str | None:
    """The run of a batch that the run of this kind of a schedule's DAG started, once it is over."""
    runs = [run for run in _runs(airflow, dag) if run["run_type"] == kind]
    if not runs or runs[0]["state"] != "success":
        return None
    started: str = airflow.xcom(runs[0]["dag_run_id"], "start", "trigger_run_id", dag)
    return started


def _runs(airflow: LocalAirflow, dag: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = airflow.call("GET", f"/api/v2/dags/{dag}/dagRuns").json()["dag_runs"]
    return found


def _await(ask: Any) -> Any:
    deadline = time.monotonic() + 180
    while not (said := ask()):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    return said


@pytest.mark.slow
def test_twelve_clips_by_two_chains(airflow: LocalAirflow, airflow_store: FolderStore, tmp_path: Path) -> None:
    clips(tmp_path, 9, "64x48")
    shutil.copy(tmp_path / "clip-03.mp4", tmp_path / "duplicate.mp4")
    (tmp_path / "empty.mp4").write_bytes(b"")
    make_video(tmp_path / "zlong.mp4", frames=300, size="96x64", sound=None)
    manifest = {
        "at_once": 3,
        "most_frames": 295,  # less than zlong.mp4 has, more than all others together
        "entries": [{"videos": f"{tmp_path}/*.mp4", "chains": ["halftone", "identity"]}],
    }
    known = {one["dag_run_id"] for one in children(airflow)}
    first = run(airflow, manifest)
    killed_after = 4
    while len([one for one in children(airflow) if one["state"] == "success"]) < len(known) + killed_after:
        time.sleep(0.5)
    body = {"state": "failed"}
    airflow.call("PATCH", f"/api/v2/dags/{BATCH}/dagRuns/{first}", json=body).raise_for_status()

    second = run(airflow, manifest)
    assert airflow.wait(second, dag=BATCH) == "failed"
    report, rows = report_of(airflow, airflow_store, second)
    there = [row for row in rows.values() if row["reason"] == "Its result was there."]
    assert len(rows) == 24
    assert report["done"] + len(there) == 18
    assert len(there) >= killed_after
    assert all(rows[f"duplicate.mp4, {name}"]["reason"].startswith("It is the same as clip-03") for name in FILTERS)
    assert all("of 295 at most" in rows[f"zlong.mp4, {name}"]["reason"] for name in FILTERS)
    assert all(rows[f"empty.mp4, {name}"]["state"] == "failed" for name in FILTERS)
    said = airflow.errors(second, "report", dag=BATCH)[0]
    assert said.startswith("4 of 24 that must be painted are not. empty.mp4")

    runs = [one for one in children(airflow) if one["dag_run_id"] not in known]
    assert len(runs) == 18
    assert {one["state"] for one in runs} == {"success"}
    assert most_at_once(runs) <= 3
    third = run(airflow, manifest)
    assert airflow.wait(third, dag=BATCH) == "failed"
    report, _ = report_of(airflow, airflow_store, third)
    assert (report["done"], report["skipped"], report["failed"]) == (0, 22, 2)
    assert len([one for one in children(airflow) if one["dag_run_id"] not in known]) == 18


FILTERS = ("halftone", "identity")
