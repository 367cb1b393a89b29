"""Contact sheets: some frames of a video under many filters, to choose one by eye."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Request, Response
from pydantic import ConfigDict, Field, create_model

from rotoscope.sheet import SheetRequest
from rotoscope.store.base import Store
from rotoscope_api import jobs, registrations
from rotoscope_api.airflow import Run
from rotoscope_api.booking import Order, replayed, started
from rotoscope_api.caller import Caller, allowed
from rotoscope_api.links import file_answer, media
from rotoscope_api.manners import Cursor, Id, IdempotencyKey, Limit, Listed, Prefer, fresh_id
from rotoscope_api.paintings import OWN, own_finder
from rotoscope_api.plugin import PREFIX
from rotoscope_api.problems import Problem, documented
from rotoscope_api.services import threaded
from rotoscope_api.store import StoreDep

router = APIRouter(prefix="/contact-sheets", tags=["Contact Sheets"])
Reader = Annotated[Caller, allowed("sheets:read")]
Writer = Annotated[Caller, allowed("sheets:write")]
DAG, TASK = "contact_sheet", "sheet"

_FIELDS: dict[str, Any] = {
    name: (field.annotation, field) for name, field in SheetRequest.model_fields.items() if name not in OWN
}
SheetOptions: Any = create_model(
    "SheetOptions", __config__=ConfigDict(extra="forbid"), __doc__="Which frames, under which filters.", **_FIELDS
)


class SheetCreate(SheetOptions):
    """Of which video a contact sheet shall be made."""

    video: Id = Field(description="The id of a video that is ready.", examples=["acme.5f1c0f6f0a9e4b1c8d7e6f5a"])


class ContactSheet(jobs.Job):
    """A contact sheet, as it is now."""

    options: dict[str, Any] = Field(description="What was asked for; the rest has its defaults.")


@router.post(
    "",
    status_code=202,
    summary="Create Contact Sheet",
    responses={
        201: {"model": ContactSheet, "description": "It is there already."},
        **documented("not-found", "conflict", "plan-used-up"),
    },
)
async def create_contact_sheet(
    request: Request,
    response: Response,
    caller: Writer,
    store: StoreDep,
    body: Annotated[
        SheetCreate,
        Body(
            openapi_examples={
                "all": {"summary": "Three frames, all filters", "value": {"video": "acme.5f1c0f6f0a9e4b1c8d7e6f5a"}},
                "bold": {
                    "summary": "The bold ones, at two moments",
                    "value": {"video": "acme.5f1c0f6f0a9e4b1c8d7e6f5a", "tag": "bold", "at": ["1", "0:04.5"]},
                },
            }
        ),
    ],
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
) -> ContactSheet:
    """Paint some frames of a video under many filters: one labelled picture, and a page with all at full size."""
    sheet_id = await fresh_id(request, caller, idempotency_key)
    run = await replayed(request, caller, DAG, sheet_id)
    if run is None:
        sha256, video = await registrations.ready(caller, store, body.video)
        conf = {"source": f"video://{sha256}", **body.model_dump(exclude_unset=True, exclude={"video"})}
        wanted = await threaded(SheetRequest.parse, conf, own_finder(caller, store))
        wanted.frames_at(video)  # refuses times that it does not have
        run = await started(caller, store, Order(DAG, sheet_id, conf, wanted.most_pictures(video)))
    run = await jobs.awaited(response, caller, run, f"{PREFIX}/contact-sheets/{sheet_id}", prefer)
    return await _sheet(store, run)


@router.get("", summary="List Contact Sheets")
async def list_contact_sheets(
    caller: Reader, store: StoreDep, limit: Limit = 20, cursor: Cursor = None
) -> Listed[ContactSheet]:
    """Contact sheets, the newest first."""
    page = await caller.airflow.page(DAG, caller.runs, cursor, limit)
    return Listed(items=await asyncio.gather(*(_sheet(store, run) for run in page.runs)), next_cursor=page.next)


@router.get("/{sheet_id}", summary="Get Contact Sheet", responses=documented("not-found"))
async def get_contact_sheet(caller: Reader, store: StoreDep, sheet_id: Id) -> ContactSheet:
    """A contact sheet as it is now."""
    return await _sheet(store, await caller.run(DAG, sheet_id))


@router.get(
    "/{sheet_id}/picture",
    summary="Get Sheet Picture",
    response_class=Response,
    responses=media("image/jpeg", "All pictures in one, labelled.", linked=True),
)
async def get_sheet_picture(caller: Reader, store: StoreDep, sheet_id: Id) -> Response:
    """The labelled picture."""
    return await file_answer(store, (await _made(caller, sheet_id))["sheet"])


@router.get(
    "/{sheet_id}/files/{name}",
    summary="Get Sheet File",
    response_class=Response,
    responses=media("image/jpeg text/html", "`index.html`, or a picture that it shows.", linked=True),
)
async def get_sheet_file(
    caller: Reader,
    store: StoreDep,
    sheet_id: Id,
    name: Annotated[str, Path(max_length=150, pattern=r"^[a-z0-9@.-]+\.(jpg|html)$", examples=["index.html"])],
) -> Response:
    """The page, `index.html`, and the pictures that it shows."""
    page = (await _made(caller, sheet_id))["page"]
    return await _at(store, page.rpartition("/")[0] + "/" + name)


async def _at(store: Store, key: str) -> Response:
    if ".." in key:
        raise Problem("not-found", "There is no such file.")
    answer = await file_answer(store, key)
    answer.headers["Content-Security-Policy"] = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'"
    return answer


async def _made(caller: Caller, sheet_id: str) -> dict[str, str]:
    run = await caller.run(DAG, sheet_id)
    found: dict[str, str] | None = await caller.airflow.outcome(DAG, run.id, TASK)
    if run.state != "success" or found is None:
        raise Problem("conflict", f"The sheet is not there: its making is {jobs.STATES.get(run.state, 'queued')}.")
    return found


async def _sheet(store: Store, run: Run) -> ContactSheet:
    options = {name: value for name, value in (run.conf or {}).items() if name != "source"}
    return ContactSheet(**await jobs.facts(store, DAG, run), options=options)
