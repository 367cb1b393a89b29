"""Jobs: long work beside rotoscopes, such as making a filter. Each is a DAG run, and is asked for and seen alike."""

from datetime import datetime
from typing import Any, Literal

from fastapi import Response
from pydantic import BaseModel, Field

from rotoscope.store.base import Store
from rotoscope.store.failures import reason_of
from rotoscope_api.airflow import Run
from rotoscope_api.caller import Caller
from rotoscope_api.manners import accepted, seconds_to_wait
from rotoscope_api.services import threaded

State = Literal["queued", "running", "succeeded", "failed"]
STATES: dict[str, State] = {"queued": "queued", "running": "running", "success": "succeeded", "failed": "failed"}


class Job(BaseModel):
    """Long work, as it is now."""

    id: str
    state: State
    created_at: datetime
    ended_at: datetime | None = None
    failure: str | None = Field(default=None, description="Why it failed, in one sentence.")


async def awaited(response: Response, caller: Caller, run: Run, location: str, prefer: str | None) -> Run:
    """A run, after as long as the caller wants to wait for it; `location` is where it is looked for."""
    run = await caller.airflow.until_over(run, seconds_to_wait(prefer, response))
    accepted(response, location, run.is_over)
    return run


async def facts(store: Store, dag: str, run: Run) -> dict[str, Any]:
    """What every job tells of its run."""
    return {
        "id": run.id,
        "state": STATES.get(run.state, "queued"),
        "created_at": run.created_at,
        "ended_at": run.ended_at,
        "failure": await threaded(reason_of, store, dag, run.id) if run.state == "failed" else None,
    }
