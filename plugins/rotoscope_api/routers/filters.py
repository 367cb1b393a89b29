"""Filters: the catalogue, and new ones, made of a picture in seconds or trained on paintings."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from rotoscope.errors import Refused
from rotoscope.filters import catalogue
from rotoscope.filters.catalogue import Filter
from rotoscope.store import keys
from rotoscope.store.base import Store
from rotoscope.store.filters import check_not_retired, delete, finder, made, retire
from rotoscope.style import StyleRequest
from rotoscope.training.recipe import TrainRequest
from rotoscope_api import jobs
from rotoscope_api.airflow import Run
from rotoscope_api.booking import Order, replayed, started
from rotoscope_api.caller import SEPARATOR, Caller, allowed
from rotoscope_api.links import file_answer, media
from rotoscope_api.manners import Cursor, Id, IdempotencyKey, Limit, Listed, Prefer, fresh_id, page_of
from rotoscope_api.paintings import DAG as PAINT_DAG
from rotoscope_api.plugin import PREFIX
from rotoscope_api.problems import Problem, documented
from rotoscope_api.routers.pictures import picture_source
from rotoscope_api.services import threaded
from rotoscope_api.store import StoreDep

router = APIRouter(tags=["Filters"])
Reader = Annotated[Caller, allowed("filters:read")]
Writer = Annotated[Caller, allowed("filters:write")]
Name = Annotated[
    str,
    Path(
        max_length=100,
        pattern=r"^[a-z0-9.-]+$",
        description="Of the filter, without a version.",
        examples=["sea-mist"],
    ),
]
Reference = Annotated[
    str,
    Path(
        max_length=110,
        pattern=r"^[a-z0-9.-]+(@[0-9.]+)?$",
        description="Of the filter: NAME, or NAME@VERSION.",
        examples=["sea-mist"],
    ),
]
NewName = Annotated[
    str,
    Field(
        max_length=60,
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$",
        description="Of the new filter: small letters and digits, with hyphens between words.",
        examples=["blue-harvest"],
    ),
]
Url = Annotated[str, Field(max_length=4000, pattern=r"^https?://\S+$")]
CREATE, TRAIN = "create_filter", "train_filter"


class FilterResource(BaseModel):
    """A named, versioned texture."""

    name: str = Field(description="To be named in a rotoscope. A partner's own begins with their tenant and a dot.")
    version: str
    title: str
    sentence: str = Field(description="What it looks like.")
    tags: list[str]
    engine: str = Field(description="What runs it; `remote` for an Algorithmia endpoint.")
    licence: str
    origin: str
    native_size: int | None = Field(description="The shorter side, in pixels, of frames that it was made for.")
    built_in: bool


class FilterCreate(BaseModel):
    """A picture to make a filter of: one that was sent, or at a URL."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"oneOf": [{"required": ["picture"]}, {"required": ["picture_url"]}]}
    )

    name: NewName
    sentence: str = Field(default="", max_length=200, description="What it looks like, for people.")
    picture: Id | None = Field(default=None, description="The id of a picture that was sent.")
    picture_url: Url | None = Field(default=None, description="Where the picture is, http(s).")


class FilterTrain(BaseModel):
    """Paintings to train a filter on, and photos on which it learns to paint."""

    model_config = ConfigDict(extra="forbid")

    name: NewName
    sentence: str = Field(default="", max_length=200, description="What it looks like, for people.")
    styles: list[Id | Url] = Field(min_length=1, max_length=8, description="Pictures that were sent, or http(s) URLs.")
    content: list[Id | Url] = Field(min_length=1, max_length=1000, description="Photos, the same way.")
    steps: int = Field(default=2000, ge=10, le=200_000, description="2,000 take some ten minutes on 2 cores.")
    style_weight: float = Field(default=9.0, gt=0, le=100, description="More is more paint and less of the photo.")
    steadiness: float = Field(default=1.0, ge=0, le=100, description="More flickers less.")
    seed: int = Field(default=1, ge=0, lt=2**63, description="Of chance.")


class Creation(jobs.Job):
    """The making of a filter."""

    filter: str | None = Field(default=None, description="NAME@VERSION, once it is made.")


@router.get("/filters", summary="List Filters")
async def list_filters(
    caller: Reader,
    store: StoreDep,
    search: Annotated[str | None, Query(max_length=100, description="Words of its name, title or sentence.")] = None,
    tag: Annotated[str | None, Query(max_length=30, description="Such as bold or subtle.")] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Listed[FilterResource]:
    """The built-in filters, then those that were made here and are the caller's to see."""
    built_in = list(catalogue.catalogue().values())
    there = [*built_in, *(one for one in await threaded(_made, store) if _is_seen(caller, one.name))]
    words = (search or "").lower().split()
    found = [
        _resource(one)
        for one in there
        if (tag is None or tag in one.tags)
        and all(word in f"{one.name} {one.title} {one.sentence}".lower() for word in words)
    ]
    return page_of(found, limit, cursor)


@router.get("/filter-creations/{creation_id}", summary="Get Creation", responses=documented("not-found"))
async def get_creation(caller: Reader, store: StoreDep, creation_id: Id) -> Creation:
    """How far the making of a filter of a picture is."""
    return await _creation(caller, store, CREATE, await caller.run(CREATE, creation_id), "create")


@router.get("/filter-trainings/{training_id}", summary="Get Training", responses=documented("not-found"))
async def get_training(caller: Reader, store: StoreDep, training_id: Id) -> Creation:
    """How far the training of a filter is."""
    return await _creation(caller, store, TRAIN, await caller.run(TRAIN, training_id), "publish")


@router.post(
    "/filters",
    status_code=202,
    summary="Create Filter",
    responses={
        201: {"model": Creation, "description": "It is made already."},
        **documented("not-found", "plan-used-up"),
    },
)
async def create_filter(
    request: Request,
    response: Response,
    caller: Writer,
    store: StoreDep,
    body: Annotated[
        FilterCreate,
        Body(
            openapi_examples={
                "url": {
                    "summary": "Of a picture at a URL",
                    "value": {"name": "blue-harvest", "picture_url": "https://pictures.example.com/harvest.jpg"},
                }
            }
        ),
    ],
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
) -> Creation:
    """Make a filter that paints in the style of a picture; takes seconds. A name that is there gets a new version."""
    if (body.picture is None) == (body.picture_url is None):
        raise Problem("invalid", "Give either picture or picture_url.")
    job_id = await fresh_id(request, caller, idempotency_key)
    run = await replayed(request, caller, CREATE, job_id)
    if run is None:
        place = body.picture_url or await threaded(picture_source, caller, store, str(body.picture))
        name = _full_name(caller, body.name)
        conf = {"picture": place, "name": name, "sentence": body.sentence}
        await threaded(StyleRequest.parse, conf)
        await threaded(check_not_retired, store, name)
        run = await started(caller, store, Order(CREATE, job_id, conf))
    run = await jobs.awaited(response, caller, run, f"{PREFIX}/filter-creations/{job_id}", prefer)
    return await _creation(caller, store, CREATE, run, "create")


@router.post(
    "/filter-trainings",
    status_code=202,
    summary="Train Filter",
    responses={
        201: {"model": Creation, "description": "It is trained already."},
        **documented("not-found", "plan-used-up"),
    },
)
async def train_filter(
    request: Request,
    response: Response,
    caller: Writer,
    store: StoreDep,
    body: Annotated[
        FilterTrain,
        Body(
            openapi_examples={
                "painting": {
                    "summary": "On one painting and one photo",
                    "value": {
                        "name": "blue-harvest",
                        "styles": ["https://pictures.example.com/harvest.jpg"],
                        "content": ["https://pictures.example.com/valley.jpg"],
                    },
                }
            }
        ),
    ],
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
) -> Creation:
    """Train a filter on paintings; takes minutes with a GPU, up to an hour without. The workers need PyTorch."""
    job_id = await fresh_id(request, caller, idempotency_key)
    run = await replayed(request, caller, TRAIN, job_id)
    if run is None:
        how = body.model_dump(exclude={"styles", "content", "name"})
        places = {
            kind: [await threaded(_place, caller, store, one) for one in getattr(body, kind)]
            for kind in ("styles", "content")
        }
        name = _full_name(caller, body.name)
        conf = {**how, **places, "name": name}
        await threaded(TrainRequest.parse, conf)
        await threaded(check_not_retired, store, name)
        run = await started(caller, store, Order(TRAIN, job_id, conf))
    run = await jobs.awaited(response, caller, run, f"{PREFIX}/filter-trainings/{job_id}", prefer)
    return await _creation(caller, store, TRAIN, run, "publish")


@router.get("/filters/{name}", summary="Get Filter", responses=documented("not-found"))
async def get_filter(caller: Reader, store: StoreDep, name: Reference) -> FilterResource:
    """A filter, in its newest version unless one is named."""
    return _resource(await _found(caller, store, name))


@router.get(
    "/filters/{name}/preview",
    summary="Get Preview",
    response_class=Response,
    responses=media("image/jpeg", "A scene that the filter painted.", linked=True),
)
async def get_preview(caller: Reader, store: StoreDep, name: Reference) -> Response:
    """What a filter looks like."""
    found = await _found(caller, store, name)
    if found.name in catalogue.catalogue():
        built_in = catalogue.FOLDER / "previews" / f"{found.name}.jpg"
        if not built_in.is_file():
            raise Problem("not-found", f"The filter {name} has no preview: it paints elsewhere, or not at all.")
        return FileResponse(built_in, media_type="image/jpeg")
    return await file_answer(store, keys.preview(keys.digest(found.model_dump(mode="json"))))


@router.post(
    "/filters/{name}/retirement",
    status_code=204,
    summary="Retire Filter",
    responses=documented("not-found", "conflict"),
)
async def retire_filter(caller: Writer, store: StoreDep, name: Name) -> None:
    """Let a filter be chosen no more. Results that were painted with it still name it."""
    await _own(caller, store, name)
    await threaded(retire, store, name)


@router.delete(
    "/filters/{name}",
    status_code=204,
    summary="Delete Filter",
    responses=documented("not-found", "conflict", "forbidden"),
)
async def delete_filter(caller: Writer, store: StoreDep, name: Name) -> None:
    """Delete a filter in all its versions. Refused while rotoscopes name it: retire it, or delete them first."""
    await _own(caller, store, name)
    if await caller.airflow.names(PAINT_DAG, name):
        raise Problem("conflict", f"Rotoscopes name the filter {name}; retire it, or delete them first.")
    await threaded(delete, store, name)


async def _creation(caller: Caller, store: Store, dag: str, run: Run, task: str) -> Creation:
    outcome: dict[str, Any] | None = None
    if run.state == "success":
        outcome = await caller.airflow.outcome(dag, run.id, task)
    return Creation(**await jobs.facts(store, dag, run), filter=(outcome or {}).get("filter"))


async def _found(caller: Caller, store: Store, name: str) -> Filter:
    said = f"There is no filter {name}; GET /filters lists those there are."
    if not _is_seen(caller, name):
        raise Problem("not-found", said)
    try:
        return await threaded(finder(store), name)
    except Refused as refused:
        raise Problem("not-found", str(refused) if "@" in name else said) from None


async def _own(caller: Caller, store: Store, name: str) -> None:
    """Raises Problem for a filter that is not the caller's to change."""
    await _found(caller, store, name)
    if name in catalogue.catalogue():
        raise Problem("conflict", f"The filter {name} is built in; it cannot be changed.")
    if caller.is_partner and not name.startswith(caller.own_prefix):
        raise Problem("forbidden", f"The filter {name} belongs to the house.")


def _is_seen(caller: Caller, name: str) -> bool:
    return SEPARATOR not in name.partition("@")[0] or caller.sees(name)


def _made(store: Store) -> list[Filter]:
    return list(made(store))


def _full_name(caller: Caller, name: str) -> str:
    """A partner's filters are their own; those of Airflow's users are for all."""
    return caller.own_prefix + name if caller.is_partner else name


def _place(caller: Caller, store: Store, one: str) -> str:
    return one if one.startswith(("http://", "https://")) else picture_source(caller, store, one)


def _resource(one: Filter) -> FilterResource:
    return FilterResource(
        **one.model_dump(
            include={"name", "version", "title", "sentence", "engine", "licence", "origin", "native_size"}
        ),
        tags=list(one.tags),
        built_in=one.name in catalogue.catalogue(),
    )
