"""Batches and schedules over HTTP: many videos in many ways, one report, and what belongs to whom."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tools.local import LocalAirflow

from rotoscope.store.folder import FolderStore
from tests.api.client import WAIT, Caller
from tests.integration.test_api import SCOPES, kind_of, partner
from tests.media import frame_hashes, make_video

pytestmark = pytest.mark.xdist_group("airflow")


@pytest.fixture(scope="module")
def admin(airflow: LocalAirflow) -> Caller:
    return Caller(airflow.url, airflow.token)


@pytest.fixture(scope="module")
def maker(admin: Caller) -> Caller:
    return partner(admin, "maker")


@pytest.fixture(scope="module")
def videos(maker: Caller, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("batch")
    clips = [make_video(folder / f"{count}.mp4", frames=count, size="80x48", sound=None) for count in (12, 14)]
    return [maker.uploaded(clip)["id"] for clip in clips]


def ended(caller: Caller, batch: dict[str, Any]) -> dict[str, Any]:
    """A batch when it is over."""
    for _ in range(300):
        time.sleep(0.3)
        found: dict[str, Any] = caller.get(f"/batches/{batch['id']}").json()
        if found["state"] in ("succeeded", "failed"):
            return found
    raise AssertionError(found)


@pytest.mark.slow
def test_a_batch_is_painted_reported_and_done_once(maker: Caller, admin: Caller, videos: list[str]) -> None:
    body = {"title": "Looks", "entries": [{"videos": videos, "chains": ["halftone", {"filter": "identity"}]}]}
    key = {"Idempotency-Key": "looks"}
    asked = maker.post("/batches", body, headers=key)
    assert asked.status_code == 202, asked.text
    assert maker.post("/batches", body, headers=key).json()["id"] == asked.json()["id"]
    batch = ended(maker, asked.json())
    assert (batch["state"], batch["title"], batch["rotoscopes"], batch["over"]) == ("succeeded", "Looks", 4, 4)
    report = maker.get(f"/batches/{batch['id']}/report").json()
    assert (report["done"], report["frames"]) == (4, 52)
    row = report["rows"][0]
    assert maker.get(f"/rotoscopes/{row['rotoscope']}").json()["state"] == "succeeded"
    result = maker.get(f"/batches/{batch['id']}/report/0/result").content
    assert result == maker.get(f"/rotoscopes/{row['rotoscope']}/result").content
    assert maker.get(f"/batches/{batch['id']}/contact-sheet").headers["Content-Type"] == "image/jpeg"

    again = ended(maker, maker.made("/batches", body))
    report = maker.get(f"/batches/{again['id']}/report").json()
    assert {(one["state"], one["rotoscope"], one["has_result"]) for one in report["rows"]} == {("skipped", None, True)}
    assert [one["id"] for one in maker.get("/batches").json()["items"]] == [again["id"], batch["id"]]

    other = partner(admin, "maker-two")
    assert other.get(f"/batches/{batch['id']}/report").status_code == 404
    assert other.get("/batches").json()["items"] == []
    assert other.post("/batches", body).status_code == 404
    assert maker.call("DELETE", f"/batches/{batch['id']}").status_code == 204
    assert maker.get(f"/batches/{batch['id']}").status_code == 404
    assert maker.get(f"/rotoscopes/{row['rotoscope']}/result").status_code == 200


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"chains": ["no-such"]}, "There is no filter 'no-such'"),
        ({"presets": ["no-such"]}, "There is no preset 'no-such'"),
        ({"options": {"mask": "/etc/passwd"}}, "mask is a box"),
        ({"options": {"source": "/etc/passwd"}}, "Options do not say their source"),
        ({"chains": [{"source": "/etc/passwd"}]}, "Options do not say their source"),
    ],
)
def test_a_batch_is_refused_whole(maker: Caller, videos: list[str], change: dict[str, Any], says: str) -> None:
    before = len(maker.get("/batches").json()["items"])
    answer = maker.post("/batches", {"entries": [{"videos": videos}, {"videos": videos, **change}]})
    assert (answer.status_code, kind_of(answer)) == (422, "refused")
    assert says in answer.json()["detail"]
    assert len(maker.get("/batches").json()["items"]) == before


def test_a_batch_is_stopped_with_what_it_started_and_goes_on(maker: Caller, videos: list[str]) -> None:
    body = {"entries": [{"videos": videos, "chains": ["pencil", "oil"]}], "at_once": 1, "window": _closed()}
    batch = maker.post("/batches", body).json()
    stopped = maker.post(f"/batches/{batch['id']}/cancellation")
    assert stopped.status_code == 202, stopped.text
    assert ended(maker, batch)["rotoscopes"] in (4, None)
    assert maker.get("/rotoscopes", params={"filter": "pencil"}).json()["items"] == []


def test_a_batch_from_the_form_is_one_of_the_apis(airflow: LocalAirflow, admin: Caller) -> None:
    conf = {"batch": None, "manifest": "entries: nothing that can be used"}
    run = airflow.call("POST", "/api/v2/dags/rotoscope_batch/dagRuns", json={"logical_date": None, "conf": conf}).json()
    batch = ended(admin, {"id": run["dag_run_id"]})
    assert (batch["state"], batch["title"]) == ("failed", "")
    assert "entries" in batch["failure"]
    assert admin.post(f"/batches/{batch['id']}/retry").status_code == 202


def test_a_batch_takes_no_more_jobs_than_it_has_videos(admin: Caller, tmp_path: Path) -> None:
    caller = partner(admin, "starter-maker", [*SCOPES, "batches:read", "batches:write"], plan="starter")
    video = caller.uploaded(make_video(tmp_path / "one.mp4", frames=10, size="80x48", sound=None))["id"]
    assert caller.post("/rotoscopes", {"video": video, "filter": "starlit-swirl"}).status_code == 202
    entries = [{"videos": [video], "chains": ["halftone"]}]
    assert caller.post("/batches", {"entries": entries}).json()["at_once"] == 1
    refused = caller.post("/batches", {"entries": entries})
    assert (refused.status_code, kind_of(refused)) == (429, "plan-used-up")


def test_a_schedule_is_data(admin: Caller, maker: Caller, airflow_store: FolderStore, tmp_path: Path) -> None:
    inbox = airflow_store.root / "reels"
    inbox.mkdir()
    clip = make_video(inbox / "reel.mp4", frames=11, size="80x48", sound=None)
    manifest = {"entries": [{"videos": ["reels/"], "chains": [{"filter": "identity", "format": "mp4-lossless"}]}]}
    body: dict[str, Any] = {"cron": "0 3 * * *", "zone": "Europe/Berlin", "manifest": manifest}
    assert maker.call("PUT", "/schedules/reels", json=body).status_code == 403
    made = admin.call("PUT", "/schedules/reels", json=body)
    assert made.status_code == 201, made.text
    schedule = made.json()["id"]
    assert schedule.endswith(".reels")
    stale = admin.call("PUT", "/schedules/reels", json={**body, "enabled": False}, headers={"If-Match": '"no"'})
    assert stale.status_code == 412
    changed = admin.call(
        "PUT", "/schedules/reels", json={**body, "title": "Reels"}, headers={"If-Match": made.headers["ETag"]}
    )
    assert (changed.status_code, changed.json()["title"]) == (200, "Reels")
    wrongs = (({"cron": "every day"}, "five fields"), ({"zone": "Mars"}, "no time zone"), ({"every": 9}, "60"))
    for wrong, says in wrongs:
        refused = admin.call("PUT", "/schedules/reels", json={**body, **wrong})
        assert refused.status_code == 422
        assert says in refused.text

    batch = ended(admin, admin.post("/schedules/reels/batches", headers=WAIT).json())
    assert batch["state"] == "succeeded"
    (row,) = admin.get(f"/batches/{batch['id']}/report").json()["rows"]
    result = tmp_path / "result.mp4"
    result.write_bytes(admin.get(f"/batches/{batch['id']}/report/0/result").content)
    assert (row["state"], frame_hashes(result)) == ("done", frame_hashes(clip))
    assert schedule in [one["id"] for one in admin.get("/schedules").json()["items"]]
    assert admin.call("DELETE", f"/schedules/{schedule}").status_code == 204
    assert admin.get("/schedules/reels").status_code == 404


def _closed() -> str:
    """A window of a minute that is half a day away, so that nothing starts."""
    opens = datetime.now(UTC) + timedelta(hours=12)
    return f"{opens:%H:%M}-{opens + timedelta(minutes=1):%H:%M}"
