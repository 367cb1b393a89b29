"""Rotoscopes as the API tells of them: a DAG run, its plan in the store, and how far it is."""

import time
from datetime import datetime
from threading import Lock
from typing import Any, Literal

from cachetools import LRUCache, cached
from pydantic import BaseModel, Field

from rotoscope.plan import Plan
from rotoscope.steps.progress import overview
from rotoscope.store import keys
from rotoscope.store.base import Store
from rotoscope.store.failures import reason_of
from rotoscope_api.airflow import Run
from rotoscope_api.caller import SEPARATOR, Caller
from rotoscope_api.paintings import DAG
from rotoscope_api.problems import Problem
from rotoscope_api.services import threaded

State = Literal["queued", "running", "cancelling", "succeeded", "failed", "cancelled"]
STATES: dict[State, list[str]] = {
    "queued": ["queued"],
    "running": ["running"],
    "cancelling": ["running"],
    "succeeded": ["success"],
    "failed": ["failed"],
    "cancelled": ["failed", "success"],
}
"""What Airflow calls them."""
UNKNOWN = "A task failed; its log in Airflow says why."


class Progress(BaseModel):
    """How far a rotoscope is."""

    step: Literal["split", "filter", "assemble", "done"]
    frames_painted: int
    frames: int = Field(description="To be painted; 0 until the video is split.")
    share: float = Field(ge=0, le=1, description="Of all its work.")
    frames_per_second: float | None = Field(default=None, description="On average since it began.")
    seconds_left: float | None = Field(default=None, description="At that speed.")


class Rotoscope(BaseModel):
    """A video that is being painted, or was."""

    id: str
    state: State
    video: str | None = Field(description="The id of the video; null if it was deleted.")
    video_sha256: str | None = Field(description="Of the video's bytes; null for one that was given by a path or URL.")
    filter: str = Field(description="The first of its filters.")
    options: dict[str, Any] = Field(description="What was asked for; the rest has its defaults.")
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    progress: Progress | None = Field(default=None, description="While it runs, where a single one is asked for.")
    failure: str | None = Field(default=None, description="Why it failed, in one sentence.")


def state_of(run: Run) -> State:
    """A run's state in our words."""
    if run.is_cancelled:
        return "cancelled" if run.is_over else "cancelling"
    names: dict[str, State] = {"success": "succeeded", "failed": "failed", "running": "running"}
    return names.get(run.state, "queued")


def of_run(caller: Caller, store: Store, run: Run) -> Rotoscope:
    """A rotoscope by its run alone."""
    options = {**(run.conf or {})}
    source = str(options.pop("source", ""))
    sha256 = source.removeprefix("video://") if source.startswith("video://") else None
    return Rotoscope(
        id=run.id,
        state=state_of(run),
        video=_video_id(caller, store, sha256) if sha256 else None,
        video_sha256=sha256,
        filter=str(options.get("filter", "starlit-swirl")),
        options=options,
        created_at=run.created_at,
        started_at=run.started_at,
        ended_at=run.ended_at,
    )


def of_runs(caller: Caller, store: Store, runs: list[Run]) -> list[Rotoscope]:
    """The same for several."""
    return [of_run(caller, store, run) for run in runs]


async def explained(store: Store, found: Rotoscope) -> Rotoscope:
    """A rotoscope with the reason of its failure, as lists have it."""
    if found.state == "failed":
        found.failure = await threaded(reason_of, store, DAG, found.id) or UNKNOWN
    return found


async def detailed(caller: Caller, store: Store, run: Run) -> Rotoscope:
    """A rotoscope with its progress or the reason of its failure."""
    found = await explained(store, await threaded(of_run, caller, store, run))
    if found.state == "running":
        found.progress = await progress_of(caller, store, run)
    return found


async def progress_of(caller: Caller, store: Store, run: Run) -> Progress:
    """How far a run is."""
    plan = await plan_of(caller, store, run.id)
    if plan is None:
        return Progress(step="split", frames_painted=0, frames=0, share=0)
    seen = await threaded(overview, store, run.id, plan)
    painted, frames = min(seen.painted, seen.frames), seen.frames
    if run.state == "success":
        return Progress(step="done", frames_painted=frames, frames=frames, share=1)
    step: Literal["filter", "assemble"] = "assemble" if painted == frames else "filter"
    elapsed = time.time() - run.started_at.timestamp() if run.started_at else 0
    rate = painted / elapsed if elapsed > 0 and painted else None
    return Progress(
        step=step,
        frames_painted=painted,
        frames=frames,
        share=round(0.95 * painted / frames + 0.05 * seen.assembled / frames, 4),
        frames_per_second=round(rate, 3) if rate else None,
        seconds_left=round((frames - painted) / rate, 1) if rate else None,
    )


async def plan_of(caller: Caller, store: Store, run_id: str) -> Plan | None:
    """The plan of a run, None before its video is split."""
    key = await caller.airflow.outcome(DAG, run_id, "split", "plan")
    return None if key is None else await threaded(_plan, store, str(key))


async def result_of(caller: Caller, run: Run) -> dict[str, str]:
    """The keys of a result's objects, by their kinds. Raises Problem if there is no result."""
    objects: dict[str, str] | None = await caller.airflow.outcome(DAG, run.id, "assemble")
    if not run.is_whole or objects is None:
        raise Problem("conflict", f"There is no result: the rotoscope is {state_of(run)}.")
    return objects


@cached(LRUCache(100), lambda store, key: key, Lock())
def _plan(store: Store, key: str) -> Plan:
    return Plan.model_validate(store.get_json(key))


def _video_id(caller: Caller, store: Store, sha256: str) -> str | None:
    """The caller's registration of a video, the newest that is left."""
    names = [keys.stem(key) for key in store.below(keys.held(keys.video(sha256)))]
    return max((name for name in names if SEPARATOR in name and caller.sees(name)), default=None)
