"""Airflow's public REST API, asked in the same process, with the caller's own token: it decides what they may."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any
from urllib.parse import quote

import httpx
from cachetools import TTLCache
from pydantic import BaseModel, Field
from tenacity import AsyncRetrying, retry_if_result, stop_after_attempt, wait_random_exponential

from rotoscope_api.problems import Problem, bad_cursor, missing

CANCELLED = "Cancelled"
"""Begins the note of a run that was cancelled: Airflow calls it running until it is cleaned up, then failed, or even
success, since the tasks that were not reached are skipped."""
OVER, UNFINISHED = ("success", "failed"), ("queued", "running")
MOST = 100
"""In one answer of Airflow's."""
CLEAN_UP = "clean_up"
POLL_SECONDS = 0.5
SEEN, SEEN_SECONDS = 1000, 1.0
"""Answers that are shared, and for how long: the same list is asked for by many, and takes Airflow 15 ms."""
AT_ONCE = 2
"""Calls; its pool has 5 connections, and more threads than processors gain nothing."""

BUSY = AsyncRetrying(
    retry=retry_if_result(lambda said: said.status_code == 500),
    stop=stop_after_attempt(5),
    wait=wait_random_exponential(0.1, 2),
    retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
)


class Run(BaseModel):
    """A DAG run, as Airflow tells of it."""

    id: str = Field(alias="dag_run_id")
    dag: str = Field(alias="dag_id")
    state: str
    conf: dict[str, Any] | None
    note: str | None
    created_at: datetime = Field(alias="run_after")
    started_at: datetime | None = Field(alias="start_date")
    ended_at: datetime | None = Field(alias="end_date")

    @property
    def named(self) -> set[str]:
        """What its conf names: sources and filters, without version and strength."""
        values = [
            one for value in (self.conf or {}).values() for one in (value if isinstance(value, list) else [value])
        ]
        texts = {value for value in values if isinstance(value, str)}
        return texts | {re.split("[@:]", text)[0] for text in texts}

    @property
    def is_over(self) -> bool:
        return self.state in OVER

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody cancelled it; it may still be cleaned up."""
        return (self.note or "").startswith(CANCELLED)

    @property
    def is_whole(self) -> bool:
        """Whether all of it was done."""
        return self.state == "success" and not self.is_cancelled


@dataclass(frozen=True)
class Page:
    """Some runs, the newest first; where the next page begins, if there is one."""

    runs: list[Run]
    next: str | None


class Inside:
    """The way to Airflow's API in the same process. app: Airflow's, in which ours is mounted.

    Few calls go at once: Airflow's own threads, when there are more of them than its database has connections, wait for
    each other until all of them give up.
    """

    def __init__(self, app: Any) -> None:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://airflow", trust_env=False, timeout=60)
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._seen: TTLCache[str, asyncio.Future[Any]] = TTLCache(SEEN, SEEN_SECONDS)

    async def look(self, who: str, path: str, read: Callable[[httpx.Response], Any], **options: Any) -> Any:
        """Get and read it, or share what a moment ago the same user saw there, unless something was changed since.

        read: gives the same for the same path. What fails is not shared: it may change at any moment.
        """

        async def seen() -> Any:
            return read(await self.ask("GET", path, **options))

        key = f"{who} {path} {options.get('params')}"
        if key not in self._seen:
            self._seen[key] = asyncio.ensure_future(seen())
        try:
            return await asyncio.shield(self._seen[key])
        except Exception:
            self._seen.pop(key, None)
            raise

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Call it. Where its database was locked by somebody else, and the call was not done, it is made again."""
        try:
            return await BUSY.wraps(self._once)(method, path, **options)
        finally:
            if method != "GET":
                self._seen.clear()

    async def _once(self, method: str, path: str, **options: Any) -> httpx.Response:
        async with self._turns:
            return await self._client.request(method, f"/api/v2{path}", **options)


class Airflow:
    """Airflow, as one caller sees it. token: gives one of theirs, which lasts for minutes; who: names them."""

    def __init__(self, inside: Inside, token: Callable[[], str], who: str) -> None:
        self._inside = inside
        self._who = who
        self._token = token

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token()}"}

    async def start(self, dag: str, run_id: str, conf: dict[str, Any], note: str) -> Run:
        """Start a run; gives the one that is there if it was started before."""
        body = {"logical_date": None, "dag_run_id": run_id, "conf": conf, "note": note}
        said = await self._ask("POST", f"/dags/{dag}/dagRuns", json=body)
        if said.status_code == 409:
            return await self.get(dag, run_id)
        if said.status_code in (400, 422):
            raise Problem("refused", str(said.json()["detail"]))
        return Run.model_validate(self._read(said))

    async def get(self, dag: str, run_id: str) -> Run:
        """A run. Raises Problem if there is none."""
        said = await self._ask("GET", _path(dag, run_id))
        if said.status_code == 404:
            raise missing(run_id)
        return Run.model_validate(self._read(said))

    async def page(self, dag: str, prefix: str, cursor: str | None, limit: int, **where: Any) -> Page:
        """Runs whose ids begin so. where: further parameters of Airflow's list."""
        wanted = {"limit": limit, "cursor": cursor or "", "order_by": "-id", **where}
        if prefix:
            wanted["run_id_prefix_pattern"] = prefix

        def read(said: httpx.Response) -> Page:
            if said.status_code in (400, 422):
                raise bad_cursor()
            found = self._read(said)
            runs = (Run.model_validate(one) for one in found["dag_runs"])
            # Airflow's idea of a prefix is wider than ours, and what is somebody else's is never shown.
            return Page([run for run in runs if run.id.startswith(prefix)], found.get("next_cursor"))

        page: Page = await self._look(f"/dags/{dag}/dagRuns", read, params=wanted)
        return page

    async def every(self, dag: str, prefix: str, **where: Any) -> AsyncIterator[Run]:
        """All runs whose ids begin so, the newest first."""
        cursor: str | None = None
        while True:
            page = await self.page(dag, prefix, cursor, MOST, **where)
            for run in page.runs:
                yield run
            cursor = page.next
            if cursor is None:
                return

    async def names(self, dag: str, text: str, **where: Any) -> bool:
        """Whether the conf of any run names this: a filter, in any version and strength, or a source."""
        return any([text in run.named async for run in self.every(dag, "", conf_contains=text, **where)])

    async def until_over(self, run: Run, seconds: float) -> Run:
        """The run when it is over, or after so many seconds."""
        deadline = time.monotonic() + seconds
        while not run.is_over and (left := deadline - time.monotonic()) > 0:
            await asyncio.sleep(min(POLL_SECONDS, left))
            run = await self.get(run.dag, run.id)
        return run

    async def cancel(self, dag: str, run: Run, who: str) -> Run:
        """End a run; its clean-up still runs."""
        body = {"state": "failed", "note": f"{CANCELLED} by {who}"}
        return Run.model_validate(self._read(await self._ask("PATCH", _path(dag, run.id), json=body)))

    async def retry(self, dag: str, run: Run) -> Run:
        """Run again what of a run failed, or all of one that was cancelled, whose tasks were skipped."""
        body = {"dry_run": False, "only_failed": not run.is_cancelled, "note": "Retried"}
        self._read(await self._ask("POST", f"{_path(dag, run.id)}/clear", json=body))
        if not run.is_cancelled:  # it has cleaned up already, and must do so again
            again = {"dag_run_id": run.id, "task_ids": [CLEAN_UP], "dry_run": False, "only_failed": False}
            self._read(await self._ask("POST", f"/dags/{dag}/clearTaskInstances", json=again))
        return await self.get(dag, run.id)

    async def retry_task(self, dag: str, run: Run, task: str, index: int) -> Run:
        """Run one mapped task again, and what follows it."""
        body = {"dag_run_id": run.id, "task_ids": [[task, index]], "include_downstream": True}
        how = {"dry_run": False, "only_failed": False, "reset_dag_runs": True}
        self._read(await self._ask("POST", f"/dags/{dag}/clearTaskInstances", json={**body, **how}))
        return await self.get(dag, run.id)

    async def delete(self, dag: str, run_id: str) -> None:
        """Forget a run that is over."""
        self._read(await self._ask("DELETE", _path(dag, run_id)))

    async def outcome(self, dag: str, run_id: str, task: str, key: str = "return_value") -> Any:
        """What a task of a run left, None if it has left nothing yet."""
        place = f"{_path(dag, run_id)}/taskInstances/{task}/xcomEntries/{key}"
        try:
            return (await self._look(place, self._read))["value"]
        except Problem as problem:
            if problem.kind != "not-found":
                raise
            return None

    async def tasks(self, dag: str, run_id: str, **where: Any) -> list[dict[str, Any]]:
        """Task instances of a run."""
        said = await self._look(f"{_path(dag, run_id)}/taskInstances", self._read, params=where)
        found: list[dict[str, Any]] = said["task_instances"]
        return found

    async def count(self, dag: str, run_id: str, task: str, *states: str) -> int:
        """How many instances of a mapped task are in one of these states, or in any."""
        where: dict[str, Any] = {"task_id": task, "limit": 1, **({"state": list(states)} if states else {})}
        said = self._read(await self._ask("GET", f"{_path(dag, run_id)}/taskInstances", params=where))
        return int(said["total_entries"])

    async def next_time(self, dag: str) -> datetime | None:
        """When a DAG runs next by itself, None if it does not, or is not known yet."""
        said = await self._ask("GET", f"/dags/{quote(dag, safe='')}")
        if said.status_code == 404:
            return None
        when = self._read(said)["next_dagrun_run_after"]
        return datetime.fromisoformat(when) if when else None

    async def next_times(self, tag: str) -> dict[str, datetime]:
        """When the DAGs with this tag run next by themselves, by their ids."""
        found: dict[str, datetime] = {}
        for offset in count(0, MOST):
            where = {"tags": tag, "limit": MOST, "offset": offset, "order_by": "dag_id"}
            page = (await self._look("/dags", self._read, params=where))["dags"]
            times = {dag["dag_id"]: dag["next_dagrun_run_after"] for dag in page}
            found |= {dag_id: datetime.fromisoformat(when) for dag_id, when in times.items() if when}
            if len(page) < MOST:
                break
        return found

    async def pools(self) -> list[dict[str, Any]]:
        """The pools, with their slots."""
        found: list[dict[str, Any]] = self._read(await self._ask("GET", "/pools", params={"limit": 100}))["pools"]
        return found

    async def health(self) -> dict[str, Any]:
        """What Airflow says of its own parts."""
        found: dict[str, Any] = self._read(await self._ask("GET", "/monitor/health"))
        return found

    async def _look(self, path: str, read: Callable[[httpx.Response], Any], **options: Any) -> Any:
        return await self._inside.look(self._who, path, read, headers=self._headers, **options)

    async def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        return await self._inside.ask(method, path, headers=self._headers, **options)

    @staticmethod
    def _read(said: httpx.Response) -> Any:
        """The answer's JSON, or a Problem like Airflow's."""
        if said.is_success:
            return said.json() if said.content else None
        kinds = {401: "not-authenticated", 403: "forbidden", 404: "not-found", 409: "conflict"}
        details = {
            403: "Airflow's auth manager does not allow this to its user.",
            404: "There is no such thing.",
            409: "It is not over yet; cancel it first, or wait.",
        }
        detail = details.get(said.status_code, f"Airflow answers {said.status_code}; ask again later.")
        raise Problem(kinds.get(said.status_code, "unavailable"), detail)


def _path(dag: str, run_id: str) -> str:
    return f"/dags/{dag}/dagRuns/{quote(run_id, safe='')}"
