"""Estimate: what a request would take, before anything is spent on it."""

import math
from typing import Literal

from pydantic import BaseModel, Field

from rotoscope.access.plans import Plan as AccessPlan
from rotoscope.algorithmia.endpoint import Endpoint
from rotoscope.algorithmia.spending import Prices
from rotoscope.chunks import plan_chunks
from rotoscope.media.video import Video
from rotoscope.painting import seconds_a_frame
from rotoscope.plan import output_of
from rotoscope.request import Request

BYTES_A_PIXEL = 0.06
"""Of a painted frame in the format mp4 at its own quality, as was measured: paint is harder to encode than film."""
PRICES = "algorithmia"
OVERHEAD_SECONDS = 4.0
"""Splitting, assembling and scheduling of a short video; more of a long one is done while others paint."""


class Estimate(BaseModel):
    """What a request would take."""

    frames: int = Field(description="To be painted.")
    chunks: int = Field(description="Tasks that they are painted in.")
    calls: int = Field(description="Of an Algorithmia endpoint; 0 where this machine paints.")
    seconds: float = Field(description="From beginning to end, if no other request runs.")
    bytes: int = Field(description="That the store takes for the painted chunks and the result, roughly.")
    cost: float = Field(description="By the caller's plan, and by the endpoint's price list.")
    currency: Literal["USD"] = "USD"
    rests_on: list[str] = Field(description="What these figures were made from.")


def estimate(request: Request, video: Video, slots: int, threads: int, plan: AccessPlan) -> Estimate:
    """What painting a video would take, with `slots` tasks side by side of `threads` threads each.

    The filter's speed is tried out on this machine, which takes a second. Raises Refused for what cannot be painted.
    """
    output = output_of(request, video)
    frames, shown = len(output.timeline.frames), len(output.timeline.shown)
    each = seconds_a_frame(request, video, threads)
    chunks = len(plan_chunks(frames, each, slots, request.chunk_frames))
    busy = min(slots, chunks)
    width, height = output.stored.size
    rests = [
        f"{frames} frames of {width}x{height}, counted in the video's manifest",
        f"{1 / each:.1f} frames a second for one of {slots} tasks side by side, "
        + ("as the catalogue says of the endpoint" if request.is_remote else "tried out on the API's own machine"),
        f"{plan.price_per_frame:g} USD a frame, in the plan {plan.name}",
    ]
    calls, cost = endpoint_bill(request, frames)
    if request.is_remote:
        rests.append(f"{Prices.named(PRICES).title}; nothing is counted that is painted already")
    return Estimate(
        frames=frames,
        chunks=chunks,
        calls=calls,
        seconds=round(OVERHEAD_SECONDS + frames * each / busy, 1),
        bytes=round(2 * shown * width * height * BYTES_A_PIXEL),
        cost=round(frames * plan.price_per_frame + cost, 6),
        rests_on=rests,
    )


def endpoint_bill(request: Request, frames: int) -> tuple[int, float]:
    """(calls, US dollars) that an endpoint would take for so many frames; none where this machine paints."""
    remote = request.texture.remote if request.is_remote else None
    if remote is None:
        return 0, 0.0
    prices, calls = Prices.named(PRICES), math.ceil(frames / Endpoint.batch_frames)
    return calls, calls * prices.per_call + frames * remote.frame_seconds * prices.per_second
