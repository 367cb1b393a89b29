"""Estimates: what a rotoscope would take, before it is asked for."""

import os
from typing import Annotated

from fastapi import APIRouter, Body, Request

from rotoscope.estimate import Estimate, estimate
from rotoscope.store.filters import at_hand
from rotoscope_api.caller import Caller, allowed
from rotoscope_api.paintings import RotoscopeCreate, asked
from rotoscope_api.problems import documented
from rotoscope_api.routers.rotoscopes import EXAMPLES
from rotoscope_api.services import Services
from rotoscope_api.store import StoreDep

router = APIRouter(tags=["Estimates"])
POOL = "filter"


@router.post("/estimates", summary="Estimate Rotoscope", responses=documented("not-found", "conflict", "beyond-plan"))
async def estimate_rotoscope(
    request: Request,
    caller: Annotated[Caller, allowed("rotoscopes:read")],
    store: StoreDep,
    body: Annotated[RotoscopeCreate, Body(openapi_examples=EXAMPLES)],
) -> Estimate:
    """What the same body would take as a rotoscope: frames, chunks, calls, seconds, bytes, money. Nothing is started.

    The filter's speed is tried out on the server, so this takes a second or two.
    """
    services: Services = request.app.state.services
    wanted = await asked(caller, store, body)
    slots = next((pool["slots"] for pool in await caller.airflow.pools() if pool["name"] == POOL), 1)
    threads = max(1, (os.cpu_count() or 1) // max(1, slots))
    with at_hand(wanted.request, store) as ready:
        return await services.aside(estimate, ready, wanted.video, slots, threads, caller.plan)
