"""Rotoscopes: ask for one, watch it, stop it, try it again, and have what came out."""

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Query, Request, Response
from pydantic import BaseModel, Field

from rotoscope.store import keys
from rotoscope.store.base import Store
from rotoscope_api import events, jobs, registrations, rotoscopes
from rotoscope_api.airflow import Run
from rotoscope_api.booking import Order, again, replayed, started
from rotoscope_api.caller import Caller, allowed
from rotoscope_api.links import file_answer, media
from rotoscope_api.manners import (
    Cursor,
    Id,
    IdempotencyKey,
    Limit,
    Listed,
    Moment,
    Prefer,
    accepted,
    fresh_id,
)
from rotoscope_api.paintings import DAG, RotoscopeCreate, asked
from rotoscope_api.plugin import PREFIX
from rotoscope_api.problems import GONE, Problem, documented
from rotoscope_api.rotoscopes import STATES, Rotoscope, State
from rotoscope_api.services import threaded
from rotoscope_api.store import StoreDep, let_go

router = APIRouter(prefix="/rotoscopes", tags=["Rotoscopes"])
Reader = Annotated[Caller, allowed("rotoscopes:read")]
Writer = Annotated[Caller, allowed("rotoscopes:write")]
PAGES = 10
"""Pages of Airflow's that a page of ours may take, where it filters what Airflow cannot."""
EXAMPLES: dict[str, Any] = {
    "plain": {"summary": "One filter", "value": {"video": "acme.5f1c0f6f0a9e4b1c8d7e6f5a", "filter": "sea-mist"}},
    "steady": {
        "summary": "A preset, and ten seconds only",
        "value": {"video": "acme.5f1c0f6f0a9e4b1c8d7e6f5a", "filter": "lava-glow", "preset": "steady", "end": "10"},
    },
}


class Cost(BaseModel):
    """What a rotoscope cost."""

    frames: int
    price_per_frame: float = Field(description="By the caller's plan.")
    painting: float = Field(description="The frames at that price.")
    endpoint: dict[str, Any] | None = Field(description="What an Algorithmia endpoint was paid, if it painted there.")
    currency: str


@router.post(
    "",
    status_code=202,
    summary="Create Rotoscope",
    responses={
        201: {"model": Rotoscope, "description": "It is over already."},
        **documented("not-found", "conflict", "beyond-plan", "plan-used-up"),
    },
)
async def create_rotoscope(
    request: Request,
    response: Response,
    caller: Writer,
    store: StoreDep,
    body: Annotated[RotoscopeCreate, Body(openapi_examples=EXAMPLES)],
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
) -> Rotoscope:
    """Have a video painted. Sound and timing stay; asking for the same again paints nothing twice."""
    rotoscope_id = await fresh_id(request, caller, idempotency_key)
    run = await replayed(request, caller, DAG, rotoscope_id)
    if run is None:
        wanted = await asked(caller, store, body)
        run = await started(caller, store, Order(DAG, rotoscope_id, wanted.conf, wanted.frames))
    run = await jobs.awaited(response, caller, run, f"{PREFIX}/rotoscopes/{run.id}", prefer)
    return await rotoscopes.detailed(caller, store, run)


@router.get("", summary="List Rotoscopes")
async def list_rotoscopes(
    caller: Reader,
    store: StoreDep,
    state: Annotated[State | None, Query(description="Only those in this state.")] = None,
    filter: Annotated[str | None, Query(max_length=100, description="Only those with this first filter.")] = None,
    video: Annotated[Id | None, Query(description="Only those of this video.")] = None,
    created_after: Annotated[Moment | None, Query(description="Only those asked for since, RFC 3339.")] = None,
    created_before: Annotated[Moment | None, Query(description="Only those asked for before, RFC 3339.")] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Listed[Rotoscope]:
    """Rotoscopes, the newest first. Administrators see all, also those that were started in Airflow itself."""
    where: dict[str, Any] = {"state": STATES[state]} if state else {}
    times: dict[str, datetime | None] = {"run_after_gte": created_after, "run_after_lt": created_before}
    where |= {name: when.astimezone().isoformat() for name, when in times.items() if when}
    if filter or video:
        where["conf_contains"] = filter or ""
    if video:
        where["conf_contains"] = await _source_of(caller, video)
    found: list[Rotoscope] = []

    def is_wanted(one: Rotoscope) -> bool:
        named = filter in (None, one.filter, one.filter.partition("@")[0])
        return named and state in (None, one.state)

    for _ in range(PAGES):
        page = await caller.airflow.page(DAG, caller.runs, cursor, limit - len(found), **where)
        found += [one for one in await threaded(rotoscopes.of_runs, caller, store, page.runs) if is_wanted(one)]
        cursor = page.next
        if cursor is None or len(found) >= limit:
            break
    items = await asyncio.gather(*(rotoscopes.explained(store, one) for one in found))
    return Listed(items=items, next_cursor=cursor)


@router.get("/{rotoscope_id}", summary="Get Rotoscope", responses=documented("not-found"))
async def get_rotoscope(caller: Reader, store: StoreDep, rotoscope_id: Id) -> Rotoscope:
    """A rotoscope as it is now, with its progress and the time it has to go, or the reason of its failure."""
    return await rotoscopes.detailed(caller, store, await caller.run(DAG, rotoscope_id))


@router.delete(
    "/{rotoscope_id}", status_code=204, summary="Delete Rotoscope", responses=documented("not-found", "conflict")
)
async def delete_rotoscope(caller: Writer, store: StoreDep, rotoscope_id: Id) -> None:
    """Delete a rotoscope that is over, and its result, unless another one has the same result."""
    run = await caller.run(DAG, rotoscope_id)
    if not run.is_over:
        raise Problem("conflict", "It is not over; cancel it first, or wait.")
    plan = await rotoscopes.plan_of(caller, store, run.id)
    await caller.airflow.delete(DAG, run.id)
    if plan is not None:
        await threaded(let_go, store, keys.results(plan.result), run.id)


@router.post(
    "/{rotoscope_id}/cancellation",
    status_code=202,
    summary="Cancel Rotoscope",
    responses=documented("not-found", "conflict"),
)
async def cancel_rotoscope(response: Response, caller: Writer, store: StoreDep, rotoscope_id: Id) -> Rotoscope:
    """Stop a rotoscope. What it painted stays for the next time; nothing else of it is left."""
    run = await caller.run(DAG, rotoscope_id)
    if run.is_over and not run.is_cancelled:
        raise Problem("conflict", f"It is over: {rotoscopes.state_of(run)}.")
    if not run.is_cancelled:
        run = await caller.airflow.cancel(DAG, run, caller.name)
    response.headers["Location"] = f"{PREFIX}/rotoscopes/{run.id}"
    return await threaded(rotoscopes.of_run, caller, store, run)


@router.post(
    "/{rotoscope_id}/retry",
    status_code=202,
    summary="Retry Rotoscope",
    responses=documented("not-found", "conflict", "plan-used-up"),
)
async def retry_rotoscope(response: Response, caller: Writer, store: StoreDep, rotoscope_id: Id) -> Rotoscope:
    """Go on with a rotoscope that failed or was cancelled. What is painted is not painted again."""
    run = await caller.run(DAG, rotoscope_id)
    if run.is_whole or not run.is_over:
        raise Problem("conflict", f"Only one that failed or was cancelled can go on; it is {rotoscopes.state_of(run)}.")
    run = await again(caller, run)
    accepted(response, f"{PREFIX}/rotoscopes/{run.id}", is_over=False)
    return await threaded(rotoscopes.of_run, caller, store, run)


@router.get(
    "/{rotoscope_id}/events",
    status_code=200,
    summary="Watch Rotoscope",
    response_class=events.EventStream,
    responses={
        200: {
            "description": "Server-sent events: `progress`, at last `end`, each with the rotoscope as it is then.",
            "content": {"text/event-stream": {"schema": events.SCHEMA}},
        },
        204: {"description": "The end was seen; there is nothing more."},
        **documented("not-found"),
    },
)
async def watch_rotoscope(
    caller: Reader,
    store: StoreDep,
    rotoscope_id: Id,
    last_event_id: Annotated[str | None, Header(max_length=40, description="The id of the last event you saw.")] = None,
) -> Response:
    """Progress as it is made, until the rotoscope is over. A broken connection goes on with `Last-Event-ID`."""
    run = await caller.run(DAG, rotoscope_id)
    if events.is_all_seen(run, last_event_id):
        return Response(status_code=204)  # so that browsers do not come back
    return events.EventStream(events.of_run(caller, store, run, last_event_id))


@router.get(
    "/{rotoscope_id}/result",
    summary="Get Result",
    response_class=Response,
    responses=media("video/mp4", "The painted video; ranges of it can be asked for.", linked=True),
)
async def get_result(caller: Reader, store: StoreDep, rotoscope_id: Id) -> Response:
    """The painted video."""
    return await _file(caller, store, rotoscope_id, "video")


@router.get(
    "/{rotoscope_id}/poster",
    summary="Get Poster",
    response_class=Response,
    responses=media("image/jpeg", "The painted frame in the middle.", linked=True),
)
async def get_poster(caller: Reader, store: StoreDep, rotoscope_id: Id) -> Response:
    """A picture of the result."""
    return await _file(caller, store, rotoscope_id, "poster")


@router.get(
    "/{rotoscope_id}/before-after",
    summary="Get Before And After",
    response_class=Response,
    responses=media("image/jpeg", "The frame in the middle, before and after, side by side.", linked=True),
)
async def get_before_after(caller: Reader, store: StoreDep, rotoscope_id: Id) -> Response:
    """The same frame of the source and of the result."""
    return await _file(caller, store, rotoscope_id, "before_after")


@router.get(
    "/{rotoscope_id}/quality-report", summary="Get Quality Report", responses=documented("not-found", "conflict")
)
async def get_quality_report(caller: Reader, store: StoreDep, rotoscope_id: Id) -> dict[str, Any]:
    """Frames counted, sound in step, and how steady the paint is beside the source."""
    return await _document(caller, store, await caller.run(DAG, rotoscope_id), "quality")


@router.get("/{rotoscope_id}/provenance", summary="Get Provenance", responses=documented("not-found", "conflict"))
async def get_provenance(caller: Reader, store: StoreDep, rotoscope_id: Id) -> dict[str, Any]:
    """What the result was made of and with: filters, hashes of weights, parameters, versions, time."""
    run = await caller.run(DAG, rotoscope_id)
    record = await _document(caller, store, run, "provenance")
    return {**record, "request": {**record["request"], "source": (run.conf or {}).get("source")}}


@router.get("/{rotoscope_id}/cost", summary="Get Cost", responses=documented("not-found", "conflict"))
async def get_cost(caller: Reader, store: StoreDep, rotoscope_id: Id) -> Cost:
    """What the result cost, by the caller's plan and by what an endpoint was paid."""
    record = await _document(caller, store, await caller.run(DAG, rotoscope_id), "provenance")
    plan = await rotoscopes.plan_of(caller, store, rotoscope_id)
    frames, price = sum(chunk.frames for chunk in plan.chunks) if plan else 0, caller.plan.price_per_frame
    return Cost(
        frames=frames,
        price_per_frame=price,
        painting=round(frames * price, 6),
        endpoint=record.get("spent"),
        currency="USD",
    )


async def _source_of(caller: Caller, video_id: str) -> str:
    """What the confs of a video's rotoscopes have in them."""
    caller.check(video_id)
    place = await caller.airflow.outcome(registrations.DAG, video_id, registrations.TASK)
    return str(place or f"no video {video_id}")


async def _file(caller: Caller, store: Store, rotoscope_id: str, kind: str) -> Response:
    run = await caller.run(DAG, rotoscope_id)
    key = (await rotoscopes.result_of(caller, run))[kind]
    # The object may be called after the video of somebody else who asked for the same.
    filter = keys.slug(str((run.conf or {}).get("filter", "painted")))
    return await file_answer(store, key, f"{kind.replace('_', '-')}-{filter}.{key.rpartition('.')[2]}")


async def _document(caller: Caller, store: Store, run: Run, kind: str) -> dict[str, Any]:
    objects = await rotoscopes.result_of(caller, run)
    try:
        document: dict[str, Any] = await threaded(store.get_json, objects[kind])
    except KeyError:
        raise Problem("not-found", GONE) from None
    return document
