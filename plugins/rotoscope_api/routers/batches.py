"""Batches: have many videos painted in many ways, stop that, go on with it, and get one report."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Request, Response
from pydantic import BaseModel, Field

from rotoscope.batch.plan import PLAN, BatchPlan
from rotoscope.batch.report import REPORT, SHEET, Report, State
from rotoscope.batch.wanted import MOST
from rotoscope.steps.batch import ROTOSCOPE
from rotoscope.store import keys
from rotoscope.store.base import Store
from rotoscope_api import jobs
from rotoscope_api.airflow import Run
from rotoscope_api.batches import DAG, BatchCreate, conf_of, manifest_in
from rotoscope_api.booking import Order, again, replayed, started
from rotoscope_api.caller import Caller, allowed
from rotoscope_api.links import file_answer, media
from rotoscope_api.manners import Cursor, Id, IdempotencyKey, Limit, Listed, Prefer, accepted, fresh_id
from rotoscope_api.plugin import PREFIX
from rotoscope_api.problems import Problem, documented
from rotoscope_api.services import threaded
from rotoscope_api.store import StoreDep

router = APIRouter(prefix="/batches", tags=["Batches"])
Reader = Annotated[Caller, allowed("batches:read")]
Writer = Annotated[Caller, allowed("batches:write")]
PAINT, OVER = "paint", ("success", "failed", "skipped", "upstream_failed")
Index = Annotated[int, Path(ge=0, lt=MOST, description="Of a row of the report, from 0.")]
VIDEO = "acme.5f1c0f6f0a9e4b1c8d7e6f5a"
EXAMPLES: dict[str, Any] = {
    "looks": {
        "summary": "One video, two looks",
        "value": {
            "entries": [{"videos": [VIDEO], "chains": ["sea-mist", {"filter": "lava-glow", "then": ["oil:0.5"]}]}]
        },
    },
    "night": {
        "summary": "At night, steadily, and not too much of it",
        "value": {
            "title": "Harbour",
            "entries": [{"videos": [VIDEO], "presets": ["steady"], "options": {"size": "720p"}, "must": False}],
            "most_frames": 20000,
            "window": "22:00-06:00",
            "zone": "Europe/Berlin",
        },
    },
}


class Batch(jobs.Job):
    """A batch, as it is now."""

    title: str
    at_once: int | None = Field(description="Rotoscopes that are painted side by side.")
    rotoscopes: int | None = Field(description="That it starts; null until all of it is checked.")
    over: int | None = Field(description="Of these, those that are over.")


class ReportRow(BaseModel):
    """What became of one rotoscope of a batch."""

    label: str = Field(description="Its video and its filters.")
    video_sha256: str | None = Field(description="Of the video's bytes; null for a place that a schedule named.")
    state: State
    reason: str = Field(description="Why it is not done, in one sentence; empty for those that are.")
    must: bool = Field(description="Whether the batch has failed without it.")
    rotoscope: str | None = Field(description="Its id, if this batch started it.")
    has_result: bool
    frames: int
    cost: float = Field(description="US dollars that this batch spent on it.")


class BatchReport(BaseModel):
    """What became of a batch."""

    title: str
    done: int
    skipped: int
    failed: int
    frames: int = Field(description="Painted by this batch.")
    cost: float = Field(description="US dollars that it spent.")
    currency: str
    notices: list[str]
    rows: list[ReportRow]


@router.post(
    "",
    status_code=202,
    summary="Create Batch",
    responses={
        201: {"model": Batch, "description": "It is over already."},
        **documented("not-found", "conflict", "beyond-plan", "plan-used-up"),
    },
)
async def create_batch(
    request: Request,
    response: Response,
    caller: Writer,
    store: StoreDep,
    body: Annotated[BatchCreate, Body(openapi_examples=EXAMPLES)],
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
) -> Batch:
    """Have many videos painted. All of it is checked first; what has no result is painted, behind single requests."""
    batch_id = await fresh_id(request, caller, idempotency_key)
    run = await replayed(request, caller, DAG, batch_id)
    if run is None:
        conf, frames = await conf_of(caller, store, body)
        run = await started(caller, store, Order(DAG, batch_id, conf, frames))
    run = await jobs.awaited(response, caller, run, f"{PREFIX}/batches/{batch_id}", prefer)
    return await resource(caller, store, run)


@router.get("", summary="List Batches")
async def list_batches(caller: Reader, store: StoreDep, limit: Limit = 20, cursor: Cursor = None) -> Listed[Batch]:
    """Batches, the newest first; administrators see those of schedules too."""
    page = await caller.airflow.page(DAG, caller.runs, cursor, limit)
    items = [await resource(caller, store, run, detailed=False) for run in page.runs]
    return Listed(items=items, next_cursor=page.next)


@router.get("/{batch_id}", summary="Get Batch", responses=documented("not-found"))
async def get_batch(caller: Reader, store: StoreDep, batch_id: Id) -> Batch:
    """A batch as it is now."""
    return await resource(caller, store, await caller.run(DAG, batch_id))


@router.delete("/{batch_id}", status_code=204, summary="Delete Batch", responses=documented("not-found", "conflict"))
async def delete_batch(caller: Writer, store: StoreDep, batch_id: Id) -> None:
    """Delete a batch that is over, and its report. Its rotoscopes stay, with their results."""
    await caller.run(DAG, batch_id)
    await caller.airflow.delete(DAG, batch_id)
    await threaded(store.delete, keys.batch(batch_id))


@router.post(
    "/{batch_id}/cancellation",
    status_code=202,
    summary="Cancel Batch",
    responses=documented("not-found", "conflict"),
)
async def cancel_batch(response: Response, caller: Writer, store: StoreDep, batch_id: Id) -> Batch:
    """Stop a batch and those of its rotoscopes that are under way. What is painted stays."""
    run = await caller.run(DAG, batch_id)
    if run.is_over and not run.is_cancelled:
        raise Problem("conflict", f"It is over: {jobs.STATES[run.state]}.")
    if not run.is_cancelled:
        run = await caller.airflow.cancel(DAG, run, caller.name)
        plan = await _plan(store, batch_id)
        for started in {item.run for item in plan.to_paint} if plan else ():
            await _cancel_rotoscope(caller, started)
    response.headers["Location"] = f"{PREFIX}/batches/{batch_id}"
    return await resource(caller, store, run, detailed=False)


@router.post(
    "/{batch_id}/retry",
    status_code=202,
    summary="Retry Batch",
    responses=documented("not-found", "conflict", "plan-used-up"),
)
async def retry_batch(response: Response, caller: Writer, store: StoreDep, batch_id: Id) -> Batch:
    """Go on with a batch that failed or was cancelled: what is missing is tried again, and nothing else."""
    run = await caller.run(DAG, batch_id)
    if run.is_whole or not run.is_over:
        state = jobs.STATES.get(run.state, "queued")
        raise Problem("conflict", f"Only one that failed or was cancelled can go on; it is {state}.")
    run = await again(caller, run)
    accepted(response, f"{PREFIX}/batches/{batch_id}", is_over=False)
    return await resource(caller, store, run, detailed=False)


@router.get("/{batch_id}/report", summary="Get Batch Report", responses=documented("not-found", "conflict"))
async def get_batch_report(caller: Reader, store: StoreDep, batch_id: Id) -> BatchReport:
    """What became of each rotoscope of a batch: done, skipped or failed, with the reason."""
    report = await _report(caller, store, batch_id)
    rows = [
        ReportRow(
            **row.model_dump(include={"label", "state", "reason", "must", "frames", "cost"}),
            video_sha256=row.video.removeprefix("video://") if row.video.startswith("video://") else None,
            rotoscope=row.run,
            has_result=row.is_whole,
        )
        for row in report.rows
    ]
    return BatchReport(**report.model_dump(exclude={"rows"}), currency="USD", rows=rows)


@router.get(
    "/{batch_id}/contact-sheet",
    summary="Get Batch Sheet",
    response_class=Response,
    responses=media("image/jpeg", "Everything that it painted, before and after, in one picture.", linked=True),
)
async def get_batch_sheet(caller: Reader, store: StoreDep, batch_id: Id) -> Response:
    """All that a batch painted, in one labelled picture."""
    await _report(caller, store, batch_id)
    return await file_answer(store, keys.batch(batch_id, SHEET), "batch.jpg")


@router.get(
    "/{batch_id}/report/{index}/result",
    summary="Get Batch Result",
    response_class=Response,
    responses=media("video/mp4", "The painted video; ranges of it can be asked for.", linked=True),
)
async def get_batch_result(caller: Reader, store: StoreDep, batch_id: Id, index: Index) -> Response:
    """The painted video of a row of the report, whoever painted it."""
    report = await _report(caller, store, batch_id)
    if index >= len(report.rows) or not report.rows[index].is_whole:
        raise Problem("not-found", f"The report has no result in row {index}.")
    key = report.rows[index].result["video"]
    return await file_answer(store, key, f"{keys.slug(report.rows[index].label)}.{key.rpartition('.')[2]}")


async def resource(caller: Caller, store: Store, run: Run, detailed: bool = True) -> Batch:
    """A batch by its run. detailed: with what only further questions to Airflow tell."""
    manifest = manifest_in(run.conf)
    planned = await caller.airflow.outcome(DAG, run.id, "plan") if detailed else None
    return Batch(
        **await jobs.facts(store, DAG, run),
        title=manifest.get("title") or str((run.conf or {}).get("batch") or ""),
        at_once=manifest.get("at_once"),
        rotoscopes=None if planned is None else len(planned),
        over=await caller.airflow.count(DAG, run.id, PAINT, *OVER) if planned else None,
    )


async def _plan(store: Store, batch_id: str) -> BatchPlan | None:
    try:
        return BatchPlan.model_validate(await threaded(store.get_json, keys.batch(batch_id, PLAN)))
    except KeyError:
        return None


async def _report(caller: Caller, store: Store, batch_id: str) -> Report:
    run = await caller.run(DAG, batch_id)
    try:
        return Report.model_validate(await threaded(store.get_json, keys.batch(run.id, REPORT)))
    except KeyError:
        state = jobs.STATES.get(run.state, "queued")
        raise Problem("conflict", f"There is no report: the batch is {state}.") from None


async def _cancel_rotoscope(caller: Caller, run_id: str) -> None:
    """Cancel a rotoscope, if it was started and is not over."""
    try:
        run = await caller.airflow.get(ROTOSCOPE, run_id)
        if not run.is_over:
            await caller.airflow.cancel(ROTOSCOPE, run, caller.name)
    except Problem as problem:
        if problem.kind not in ("not-found", "conflict"):
            raise
