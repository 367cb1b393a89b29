"""Booking: what a caller starts must have room in their plan, in its frames of a month and in its jobs at once."""

import asyncio
from collections import defaultdict
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from rotoscope.access import usage
from rotoscope.batch.ids import is_of_batch
from rotoscope.store.base import Store
from rotoscope_api import batches
from rotoscope_api.airflow import UNFINISHED, Run
from rotoscope_api.caller import Caller
from rotoscope_api.manners import REPLAYED
from rotoscope_api.problems import Problem
from rotoscope_api.services import threaded

EVERY = "~"
"""Airflow's name for all DAGs."""
WORK = ("rotoscope", "frame_set", "contact_sheet", "create_filter", "train_filter")
"""DAGs of which a run is a job. What registers a video is none, and is over soon."""

_turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)


@dataclass(frozen=True)
class Order:
    """A run that a caller wants. frames: that it paints."""

    dag: str
    run_id: str
    conf: dict[str, Any]
    frames: int = 0


async def started(caller: Caller, store: Store, order: Order) -> Run:
    """The run of an order, which may be there already. Raises Problem if the caller's plan has no room for it."""
    jobs = _jobs_of(order.dag, order.conf)
    if caller.plan.limit("jobs") is None or not jobs:
        return await _booked(caller, store, order)
    async with turn(caller):
        # The same request may have started it meanwhile, and took its jobs then.
        run = await _there(caller, order.dag, order.run_id)
        if run is None:
            await check_jobs(caller, jobs)
            run = await _booked(caller, store, order)
        return run


async def again(caller: Caller, run: Run) -> Run:
    """Go on with a run that failed or was cancelled. Raises Problem if the caller's plan has no room for it."""
    async with turn(caller):
        run = await caller.airflow.get(run.dag, run.id)
        if not run.is_over:
            raise Problem("conflict", "It goes on already.")
        await check_jobs(caller, _jobs_of(run.dag, run.conf))
        return await caller.airflow.retry(run.dag, run)


def turn(caller: Caller) -> AbstractAsyncContextManager[Any]:
    """Those whose jobs are limited start one at a time, so that on one server none slips in between count and start."""
    return nullcontext() if caller.plan.limit("jobs") is None else _turns[caller.tenant]


async def check_jobs(caller: Caller, jobs: int = 1) -> None:
    """Raises Problem if that many more jobs, or all that the plan ever allows, are not allowed now."""
    limit = caller.plan.limit("jobs")
    if limit is None:
        return
    taken, jobs = await unfinished(caller), min(jobs, limit)
    if taken + jobs > limit:
        detail = f"The plan {caller.plan.name} allows {limit} jobs at once: {taken} now, and {jobs} for this."
        raise Problem("plan-used-up", f"{detail} Ask again later.", {"Retry-After": "30"})


async def unfinished(caller: Caller) -> int:
    """Jobs of the caller's tenant that wait or run. What a batch started is within the batch's, while that runs."""
    runs = [run async for run in caller.airflow.every(EVERY, caller.own_runs, state=UNFINISHED)]
    allowed = sum(_jobs_of(run.dag, run.conf) for run in runs if run.dag == batches.DAG)
    of_batches = sum(is_of_batch(run.id) for run in runs)
    single = sum(_jobs_of(run.dag, run.conf) for run in runs if run.dag != batches.DAG and not is_of_batch(run.id))
    return single + max(allowed, of_batches)


async def replayed(request: Request, caller: Caller, dag: str, run_id: str) -> Run | None:
    """The run that the same request started before, under its idempotency key."""
    return await _there(caller, dag, run_id) if REPLAYED in request.state.headers else None


async def _there(caller: Caller, dag: str, run_id: str) -> Run | None:
    try:
        return await caller.airflow.get(dag, run_id)
    except Problem as problem:
        if problem.kind != "not-found":
            raise
        return None


def _jobs_of(dag: str, conf: dict[str, Any] | None) -> int:
    """A batch is as many as it starts at once, whether they are under way or not."""
    if dag != batches.DAG:
        return int(dag in WORK)
    # Those whose manifest is text or only named are of the form, and under no plan.
    return int(batches.manifest_in(conf).get("at_once") or 1)


async def _book_frames(caller: Caller, store: Store, order: Order) -> None:
    if not order.frames:
        return
    limit = caller.plan.limit("frames")
    try:
        await threaded(usage.book, store, caller.tenant, order.run_id, order.frames, limit)
    except usage.OverLimit as over:
        detail = (
            f"This takes {order.frames} frames, and of the {limit} of this month's plan {over.used} are used; "
            "ask for less, or for another plan."
        )
        raise Problem("plan-used-up", detail, {"Retry-After": str(usage.seconds_to_next_month())}) from None


async def _booked(caller: Caller, store: Store, order: Order) -> Run:
    """Start it, once its frames are counted; one that is there already is given, and counts once."""
    await _book_frames(caller, store, order)
    try:
        note = f"Asked for by {caller.name} over the API"
        return await caller.airflow.start(order.dag, order.run_id, order.conf, note)
    except Exception:
        if order.frames and await _there(caller, order.dag, order.run_id) is None:
            await threaded(usage.give_back, store, caller.tenant, order.run_id)
        raise
