"""A thousand rotoscopes and what comes with them: one of each is made over the API, and copied where Airflow and the
store keep it.
"""

import json
import sqlite3
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from tools.demo import clip
from tools.local import LocalAirflow

from rotoscope import webhooks
from rotoscope.frames import SET
from rotoscope.steps.register import ABOUT
from rotoscope.store import keys
from rotoscope.store.base import Store

PREFIX = "/rotoscope/api/v1"
RUNS, OTHERS = 1000, 20
"""Runs of each kind and videos; keys, schedules and webhooks."""
COPIED = ("rotoscope", "register_video", "contact_sheet", "frame_set", "rotoscope_batch")


class Crowd:
    """Fills the store of an Airflow. ids: of one thing of each kind, as the paths of the API name them."""

    def __init__(self, airflow: LocalAirflow, store: Store) -> None:
        self.airflow, self.store = airflow, store
        self._http = requests.Session()
        self._http.headers.update({"Authorization": f"Bearer {airflow.token}", "Prefer": "wait=60"})
        self.video = self._uploaded()
        chunked = {"filter": "identity", "end": "2", "chunk_frames": 10}
        self.ids = {
            "rotoscope_id": self._made("POST", "/rotoscopes", {"video": self.video, **chunked})["id"],
            "set_id": self._made("POST", "/frame-sets", {"video": self.video})["id"],
        }
        self._made("POST", "/contact-sheets", {"video": self.video, "filters": ["identity"]})
        self.batch = {"entries": [{"videos": [self.video], "chains": ["identity"]}]}
        self._made("POST", "/batches", self.batch)
        self._copy_runs()
        self._copy_videos()
        self._add_others()

    def _made(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        answer = self._http.request(method, f"{self.airflow.url}{PREFIX}{path}", json=body, timeout=90)
        if answer.status_code not in (200, 201):
            raise RuntimeError(f"{path}: {answer.text}")
        made: dict[str, Any] = answer.json()
        return made

    def _uploaded(self) -> str:
        content = clip().read_bytes()
        video = self._made("POST", "/videos", {"upload": {"name": "clip.mp4", "bytes": len(content)}})
        self._http.put(f"{self.airflow.url}{video['upload']['url']}", content, timeout=90).raise_for_status()
        made: str = self._made("POST", video["upload"]["completion"].removeprefix(PREFIX), {})["id"]
        return made

    def _copy_runs(self) -> None:
        """Rows of Airflow's table, each with a conf that names its own video."""
        with self._database() as database:
            for dag in COPIED:
                [run, *_] = _rows(database, "dag_run", "dag_id = ? and state = 'success'", dag)
                del run["id"]
                for number in range(RUNS):
                    _insert(database, "dag_run", {**run, **self._renamed(dag, run, number)})

    def running(self, number: int) -> list[str]:
        """Ids of so many rotoscopes that run, as far as Airflow knows: they are split, and nobody paints them.

        Their DAG must be paused, so that Airflow does not go on with them.
        """
        names = [f"admin.rf{one:022x}" for one in range(number)]
        with self._database() as database:
            first = self.ids["rotoscope_id"]
            [run] = _rows(database, "dag_run", "run_id = ?", first)
            [split] = _rows(database, "task_instance", "run_id = ? and task_id = 'split'", first)
            said = _rows(database, "xcom", "run_id = ? and task_id = 'split'", first)
            del run["id"]
            for name in names:
                made = _insert(database, "dag_run", {**run, "run_id": name, "state": "running", "end_date": None})
                _insert(database, "task_instance", {**split, "run_id": name, "id": uuid.uuid4().hex})
                for one in said:
                    _insert(database, "xcom", {**one, "run_id": name, "dag_run_id": made})
        return names

    def _database(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.airflow.home / "airflow.db", timeout=60)
        database.row_factory = sqlite3.Row
        return database

    def _renamed(self, dag: str, run: dict[str, Any], number: int) -> dict[str, Any]:
        conf = json.loads(run["conf"])
        if "source" in conf:
            conf["source"] = f"incoming://{_id(number)}" if dag == "register_video" else f"video://{number:064x}"
        return {"run_id": _id(number), "conf": json.dumps(conf)}

    def _copy_videos(self) -> None:
        """What the store has of videos and of sets of frames."""
        about = self.store.get_json(keys.incoming(self.video, ABOUT))
        manifest = self.store.get_json(keys.manifest(about["video"]))
        frames = self.store.get_json(keys.frame_set(self.ids["set_id"], SET))
        for number in range(RUNS):
            sha256 = f"{number:064x}"
            self.store.put_json(keys.incoming(_id(number), ABOUT), {**about, "video": sha256})
            self.store.put_json(keys.manifest(sha256), {**manifest, "sha256": sha256})
            self.store.put_json(keys.held(keys.video(sha256), _id(number)), {})
            self.store.put_json(keys.frame_set(_id(number), SET), frames)

    def _add_others(self) -> None:
        for number in range(OTHERS):
            key = {"name": f"Partner {number}", "tenant": "acme", "plan": "starter", "scopes": ["videos:read"]}
            self._made("POST", "/keys", key)
            self._made("PUT", f"/schedules/night-{number}", {"cron": "0 22 * * *", "manifest": self.batch})
            self._add_webhook(f"admin.hook-{number}")
        self.ids["webhook_id"] = "admin.hook-0"
        self._add_deliveries("admin.hook-0")
        while not all(one["next_run_at"] for one in self._made("GET", "/schedules", None)["items"]):
            time.sleep(1)  # Airflow makes DAGs of them, which would be measured too

    def _add_webhook(self, webhook_id: str) -> None:
        now, url = datetime.now(UTC), "https://hooks.example.com/painted"
        about: dict[str, Any] = {"events": ("rotoscope.ended",), "acts_for": {}, "created_at": now, "enabled": False}
        secret = webhooks.Secret(value=webhooks.new_secret())
        webhooks.keep(self.store, webhooks.Webhook(id=webhook_id, tenant="admin", url=url, secrets=(secret,), **about))

    def _add_deliveries(self, webhook_id: str) -> None:
        """That each rotoscope began and ended."""
        for number in range(2 * RUNS):
            at = datetime.now(UTC) - timedelta(minutes=number)
            attempts = [webhooks.Attempt(at=at, status=204, said="")]
            made = webhooks.Delivery(
                id=f"msg_{number:032x}",
                type="rotoscope.ended",
                created_at=at,
                state="delivered",
                payload={"type": "rotoscope.ended", "timestamp": at.isoformat(), "data": {"id": _id(number)}},
                attempts=attempts,
            )
            self.store.put_json(keys.delivery(webhook_id, made.id), made.model_dump(mode="json"))


def _rows(database: sqlite3.Connection, table: str, where: str, value: str) -> list[dict[str, Any]]:
    return [dict(row) for row in database.execute(f"select * from {table} where {where}", [value])]


def _insert(database: sqlite3.Connection, table: str, row: dict[str, Any]) -> int | None:
    """Gives the new row's number."""
    names, places = ", ".join(f'"{name}"' for name in row), ", ".join("?" for _ in row)
    return database.execute(f"insert into {table} ({names}) values ({places})", list(row.values())).lastrowid


def _id(number: int) -> str:
    return f"admin.r{number:023x}"
