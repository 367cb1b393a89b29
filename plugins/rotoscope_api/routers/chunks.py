"""Chunks of a rotoscope: the unit of painting, each with its state, its speed and a picture."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from rotoscope.plan import Chunk, Plan
from rotoscope.steps import progress
from rotoscope.steps.paint import forget
from rotoscope.steps.thumbnail import thumbnail
from rotoscope.store import keys
from rotoscope.store.base import Store
from rotoscope_api import rotoscopes
from rotoscope_api.booking import check_jobs, turn
from rotoscope_api.caller import Caller, allowed
from rotoscope_api.links import media
from rotoscope_api.manners import Cursor, Id, Limit, Listed, accepted, cursor_of, offset_of
from rotoscope_api.paintings import DAG
from rotoscope_api.plugin import PREFIX
from rotoscope_api.problems import Problem, documented
from rotoscope_api.services import threaded
from rotoscope_api.store import StoreDep

router = APIRouter(prefix="/rotoscopes/{rotoscope_id}/chunks", tags=["Chunks"])
Reader = Annotated[Caller, allowed("rotoscopes:read")]
Writer = Annotated[Caller, allowed("rotoscopes:write")]
Index = Annotated[int, Path(ge=0, le=100_000, description="Of the chunk, from 0.")]
TASK = "filter"
State = Literal["waiting", "running", "painted", "failed"]
STATES: dict[str | None, State] = {"success": "painted", "running": "running", "failed": "failed"}


class ChunkResource(BaseModel):
    """A run of frames that one task paints."""

    index: int
    label: str = Field(description="When it is shown, and how many frames it has.")
    start: int = Field(description="Its first frame.")
    end: int = Field(description="The frame after its last.")
    frames: int
    frames_painted: int
    state: State
    tries: int
    seconds: float | None = Field(default=None, description="That painting took.")
    frames_per_second: float | None = None


@router.get("", summary="List Chunks", responses=documented("not-found", "conflict"))
async def list_chunks(
    caller: Reader, store: StoreDep, rotoscope_id: Id, limit: Limit = 20, cursor: Cursor = None
) -> Listed[ChunkResource]:
    """A rotoscope's chunks in their order, with state and speed."""
    plan = await _plan(caller, store, rotoscope_id)
    begin = offset_of(cursor)
    how = {"task_id": TASK, "limit": limit, "offset": begin, "order_by": "map_index"}
    tasks = await caller.airflow.tasks(DAG, rotoscope_id, **how)
    known = {task["map_index"]: task for task in tasks if task["task_id"] == TASK}
    wanted = plan.chunks[begin : begin + limit]
    items = await threaded(_described, store, rotoscope_id, wanted, known)
    end = begin + limit
    return Listed(items=items, next_cursor=cursor_of(end) if end < len(plan.chunks) else None)


@router.get(
    "/{index}/thumbnail",
    summary="Get Thumbnail",
    response_class=Response,
    responses=media("image/jpeg", "A small JPEG."),
)
async def get_thumbnail(caller: Reader, store: StoreDep, rotoscope_id: Id, index: Index) -> Response:
    """The first frame of a chunk, painted."""
    plan = await _plan(caller, store, rotoscope_id)
    _check(plan, index)
    try:
        picture = await threaded(thumbnail, store, plan, index)
    except KeyError:
        raise Problem("conflict", f"Chunk {index} is not painted yet.") from None
    return Response(picture, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})


@router.post(
    "/{index}/retry",
    status_code=202,
    summary="Retry Chunk",
    responses=documented("not-found", "conflict", "plan-used-up"),
)
async def retry_chunk(
    response: Response, caller: Writer, store: StoreDep, rotoscope_id: Id, index: Index
) -> rotoscopes.Rotoscope:
    """Paint one chunk anew, then assemble again. The other chunks are left alone."""
    plan = await _plan(caller, store, rotoscope_id)
    _check(plan, index)
    async with turn(caller):
        run = await caller.airflow.get(DAG, rotoscope_id)
        if not run.is_whole:
            raise Problem("conflict", "It has not succeeded: retry the rotoscope, which paints what is missing.")
        if not await threaded(_is_alone, store, plan, run.id):
            raise Problem("conflict", "Another rotoscope has the same result; it would lose it meanwhile.")
        await check_jobs(caller)
        await threaded(_forget, store, plan, index)
        run = await caller.airflow.retry_task(DAG, run, TASK, index)
    accepted(response, f"{PREFIX}/rotoscopes/{run.id}", is_over=False)
    return await threaded(rotoscopes.of_run, caller, store, run)


async def _plan(caller: Caller, store: Store, rotoscope_id: str) -> Plan:
    caller.check(rotoscope_id)
    plan = await rotoscopes.plan_of(caller, store, rotoscope_id)
    if plan is None:
        await caller.airflow.get(DAG, rotoscope_id)  # raises for one that is not there at all
        raise Problem("conflict", "Its video is not split into chunks yet.")
    return plan


def _described(store: Store, run_id: str, chunks: list[Chunk], tasks: dict[int, dict[str, Any]]) -> list[ChunkResource]:
    return [_one(store, run_id, chunk, tasks.get(chunk.index, {})) for chunk in chunks]


def _one(store: Store, run_id: str, chunk: Chunk, task: dict[str, Any]) -> ChunkResource:
    state = STATES.get(task.get("state"), "waiting")
    said: dict[str, Any] = {}
    painted = chunk.frames if state == "painted" else progress.read(store, run_id, progress.chunk_step(chunk.index))[0]
    if state == "painted":
        try:
            seconds = float(store.get_json(keys.painted_record(chunk.digest))["seconds"])
            said = {"seconds": seconds, "frames_per_second": round(chunk.frames / seconds, 3) if seconds else None}
        except KeyError:
            pass
    return ChunkResource(
        **chunk.model_dump(include={"index", "label", "start", "end", "frames"}),
        frames_painted=painted,
        state=state,
        tries=int(task.get("try_number") or 0),
        **said,
    )


def _is_alone(store: Store, plan: Plan, run_id: str) -> bool:
    """Whether nobody else has the result, and its video is still there to paint it from."""
    mark = keys.held(keys.results(plan.result), run_id)
    others = [key for key in store.below(keys.held(keys.results(plan.result))) if key != mark]
    return not others and store.exists(keys.manifest(plan.video))


def _forget(store: Store, plan: Plan, index: int) -> None:
    """Delete a painted chunk and the results that were made of it, so that both are made anew."""
    for digest in plan.names(plan.chunks[index]):
        forget(store, digest)
    for key in [*store.below(keys.results(plan.result))]:
        if not key.startswith(keys.held(keys.results(plan.result))):
            store.delete(key)


def _check(plan: Plan, index: int) -> None:
    if index >= len(plan.chunks):
        raise Problem("not-found", f"It has {len(plan.chunks)} chunks, counted from 0; there is none {index}.")
