"""Schedules: batches that run by themselves. Data in the store; Airflow makes a DAG of each within half a minute."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Request, Response
from pydantic import Field

from rotoscope.batch.schedule import TAG, Schedule, schedules
from rotoscope.store import keys
from rotoscope.store.base import Store
from rotoscope_api import jobs
from rotoscope_api.batches import DAG
from rotoscope_api.booking import Order, started
from rotoscope_api.caller import SEPARATOR, Caller, allowed
from rotoscope_api.manners import (
    Cursor,
    IdempotencyKey,
    IfMatch,
    Limit,
    Listed,
    Prefer,
    check_if_match,
    etag_of,
    fresh_id,
    page_of,
)
from rotoscope_api.plugin import PREFIX
from rotoscope_api.problems import Problem, documented
from rotoscope_api.routers.batches import Batch, resource
from rotoscope_api.services import threaded
from rotoscope_api.store import StoreDep

router = APIRouter(prefix="/schedules", tags=["Schedules"])
Reader = Annotated[Caller, allowed("schedules:read")]
Writer = Annotated[Caller, allowed("schedules:write")]
ScheduleName = Annotated[
    str,
    Path(max_length=100, pattern=r"^[a-z0-9][a-z0-9_.-]*$", description="Its id, or for one of yours its name."),
]
EXAMPLES: dict[str, Any] = {
    "nightly": {
        "summary": "Every night, what came that day",
        "value": {
            "cron": "0 22 * * *",
            "zone": "Europe/Berlin",
            "manifest": {"entries": [{"videos": ["inbox/{{ ds }}/"], "chains": ["sea-mist"]}]},
            "window": "22:00-06:00",
        },
    },
    "inbox": {
        "summary": "Whatever arrives in an inbox",
        "value": {"inbox": "s3://films/inbox/", "paint": {"presets": ["steady"]}},
    },
}


class ScheduleFields(Schedule):
    """When a batch runs, and which. One of cron, every and inbox; a batch by its name, or a manifest, or paint."""

    name: str = Field(default="", exclude=True, max_length=0, description="Leave it out: the path has it.")


class ScheduleResource(Schedule):
    """A schedule."""

    id: str
    next_run_at: datetime | None = Field(description="Null if it does not run by itself, or Airflow knows of it soon.")


@router.put(
    "/{schedule_id}",
    summary="Put Schedule",
    responses={
        201: {"model": ScheduleResource, "description": "It is new."},
        **documented("not-found", "precondition-failed"),
    },
)
async def put_schedule(
    response: Response,
    caller: Writer,
    store: StoreDep,
    schedule_id: ScheduleName,
    body: Annotated[ScheduleFields, Body(openapi_examples=EXAMPLES)],
    if_match: IfMatch = None,
) -> ScheduleResource:
    """Make a schedule, or change one. Airflow follows within half a minute."""
    name = _own_name(caller, schedule_id)
    before = (await threaded(schedules, store)).get(name)
    if before is not None:
        check_if_match(if_match, before)
    # Airflow starts a new schedule with the last time that it missed; without a beginning, that is not wanted.
    start = body.start or (before.start if before else datetime.now(UTC))
    made = Schedule.of({**body.model_dump(), "start": start, "name": name})
    await threaded(store.replace_json, keys.schedule(name), made.model_dump(mode="json"))
    response.status_code = 201 if before is None else 200
    response.headers["ETag"] = etag_of(made)
    response.headers["Location"] = f"{PREFIX}/schedules/{name}"
    return await _resource(caller, made)


@router.get("", summary="List Schedules")
async def list_schedules(
    caller: Reader, store: StoreDep, limit: Limit = 20, cursor: Cursor = None
) -> Listed[ScheduleResource]:
    """The caller's schedules; administrators see all, with those of include/schedules."""
    found = [one for name, one in sorted((await threaded(schedules, store)).items()) if caller.sees(name)]
    page = page_of(found, limit, cursor)
    times = await caller.airflow.next_times(TAG)
    items = [_described(one, times.get(one.dag_id) if one.enabled else None) for one in page.items]
    return Listed(items=items, next_cursor=page.next_cursor)


@router.get("/{schedule_id}", summary="Get Schedule", responses=documented("not-found"))
async def get_schedule(
    response: Response, caller: Reader, store: StoreDep, schedule_id: ScheduleName
) -> ScheduleResource:
    """A schedule, with the time of its next run."""
    found = await _schedule(caller, store, schedule_id)
    response.headers["ETag"] = etag_of(found)
    return await _resource(caller, found)


@router.delete(
    "/{schedule_id}",
    status_code=204,
    summary="Delete Schedule",
    responses=documented("not-found", "conflict", "precondition-failed"),
)
async def delete_schedule(caller: Writer, store: StoreDep, schedule_id: ScheduleName, if_match: IfMatch = None) -> None:
    """Delete a schedule. What it started goes on."""
    found = await _schedule(caller, store, schedule_id)
    check_if_match(if_match, found)
    if not await threaded(store.exists, keys.schedule(found.name)):
        raise Problem("conflict", "This schedule is a file of include/schedules; delete it there.")
    await threaded(store.delete, keys.schedule(found.name))


@router.post(
    "/{schedule_id}/batches",
    status_code=202,
    summary="Run Schedule",
    responses={
        201: {"model": Batch, "description": "It is over already."},
        **documented("not-found", "conflict"),
    },
)
async def run_schedule(
    request: Request,
    response: Response,
    caller: Writer,
    store: StoreDep,
    schedule_id: ScheduleName,
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
) -> Batch:
    """Start a schedule's batch now, as of today. An inbox has none: it starts one when a video arrives."""
    found = await _schedule(caller, store, schedule_id)
    if found.inbox is not None:
        raise Problem("conflict", "An inbox starts a batch when a video arrives; put one there.")
    batch_id = await fresh_id(request, caller, idempotency_key)
    conf = found.conf([], datetime.now(UTC).date().isoformat())
    run = await started(caller, store, Order(DAG, batch_id, conf))
    run = await jobs.awaited(response, caller, run, f"{PREFIX}/batches/{batch_id}", prefer)
    return await resource(caller, store, run)


def _own_name(caller: Caller, text: str) -> str:
    """What a schedule of the caller's own is called. Raises Problem for the name of somebody else's."""
    if SEPARATOR not in text:
        return caller.own_prefix + text
    caller.check(text)
    return text


async def _schedule(caller: Caller, store: Store, text: str) -> Schedule:
    found = await threaded(schedules, store)
    if caller.is_admin and text in found:
        return found[text]
    name = _own_name(caller, text)
    if name not in found:
        raise Problem("not-found", f"There is no schedule {text}.")
    return found[name]


async def _resource(caller: Caller, schedule: Schedule) -> ScheduleResource:
    return _described(schedule, await caller.airflow.next_time(schedule.dag_id) if schedule.enabled else None)


def _described(schedule: Schedule, next_run: datetime | None) -> ScheduleResource:
    return ScheduleResource(**schedule.model_dump(), id=schedule.name, next_run_at=next_run)
