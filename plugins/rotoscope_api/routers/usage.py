"""Usage: what a caller took this month, and what their plan has left."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from rotoscope.access import usage
from rotoscope_api.booking import unfinished
from rotoscope_api.caller import Caller, allowed
from rotoscope_api.services import threaded
from rotoscope_api.store import StoreDep

router = APIRouter(tags=["Usage"])


class Usage(BaseModel):
    """What was taken in a month."""

    tenant: str
    plan: str
    month: str
    frames: int = Field(description="That were asked for, painted or found painted; single pictures are not counted.")
    frames_left: int | None = Field(description="Of this month's; null without a limit.")
    jobs: int = Field(description="That wait or run now; a batch is as many as it has at once.")
    cost: float = Field(description="The frames at the plan's price.")
    currency: str = "USD"


@router.get("/usage", summary="Get Usage")
async def get_usage(
    caller: Annotated[Caller, allowed("usage:read")],
    store: StoreDep,
    month: Annotated[
        str | None, Query(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", description="This one if left out.", examples=["2026-11"])
    ] = None,
) -> Usage:
    """What the caller's tenant took in a month; work counts when it is asked for."""
    month = month or usage.this_month()
    frames, limit = await threaded(usage.frames, store, caller.tenant, month), caller.plan.limit("frames")
    return Usage(
        tenant=caller.tenant,
        plan=caller.plan.id,
        month=month,
        frames=frames,
        frames_left=None if limit is None else max(0, limit - frames),
        jobs=await unfinished(caller),
        cost=round(frames * caller.plan.price_per_frame, 6),
    )
