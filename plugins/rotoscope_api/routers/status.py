"""Status: whether the parts are well, and how busy they are."""

from importlib.metadata import version
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from rotoscope import __version__
from rotoscope.store import keys
from rotoscope.store.base import Store
from rotoscope_api import openapi
from rotoscope_api.caller import Caller, allowed
from rotoscope_api.services import threaded
from rotoscope_api.store import StoreDep

router = APIRouter(tags=["Status"])
POOLS = ("split", "filter", "filter_batch", "assemble", "train")


class Pool(BaseModel):
    """A pool of Airflow's that our tasks take slots of."""

    name: str
    slots: int
    running: int = Field(description="Slots that are taken.")
    waiting: int = Field(description="Tasks that wait for a slot.")


class Health(BaseModel):
    """Whether work is done."""

    status: Literal["ok", "degraded"]
    parts: dict[str, str] = Field(description="Each part of Airflow, and the store: healthy or not.")


class Status(Health):
    """Whether work is done, by what, and how busy it is."""

    pools: list[Pool]
    store: Literal["folder", "bucket"]
    versions: dict[str, str]


@router.get("/health", summary="Get Health", responses={503: {"model": Health, "description": "A part is not well."}})
async def get_health(response: Response, caller: Annotated[Caller, allowed("status:read")], store: StoreDep) -> Health:
    """Whether Airflow's parts and the store are well; 503 if one is not."""
    found = await _health(caller, store)
    response.status_code = 200 if found.status == "ok" else 503
    return found


@router.get("/status", summary="Get Status")
async def get_status(caller: Annotated[Caller, allowed("status:read")], store: StoreDep) -> Status:
    """Parts, pools with their queues, store and versions."""
    health = await _health(caller, store)
    pools = [
        Pool(
            name=one["name"],
            slots=one["slots"],
            running=one["running_slots"],
            waiting=one["queued_slots"] + one["scheduled_slots"],
        )
        for one in await caller.airflow.pools()
        if one["name"] in POOLS
    ]
    kind: Literal["folder", "bucket"] = "bucket" if store.address("x").startswith("s3://") else "folder"
    versions = {"rotoscope": __version__, "airflow": version("apache-airflow"), "api": openapi.VERSION}
    return Status(**health.model_dump(), pools=pools, store=kind, versions=versions)


async def _health(caller: Caller, store: Store) -> Health:
    parts = {
        name: str(said["status"])
        for name, said in (await caller.airflow.health()).items()
        if said and said.get("status")
    }
    try:
        await threaded(store.exists, keys.partner_key("health"))
        parts["store"] = "healthy"
    except Exception:
        parts["store"] = "unhealthy"
    return Health(status="ok" if set(parts.values()) == {"healthy"} else "degraded", parts=parts)
