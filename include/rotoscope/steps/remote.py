"""What the steps do where a filter paints at an Algorithmia endpoint."""

import logging
from collections.abc import Callable

from rotoscope.algorithmia.calls import Caller
from rotoscope.algorithmia.desk import Desk, desk_uri, run_prefix
from rotoscope.algorithmia.endpoint import Endpoint
from rotoscope.algorithmia.errors import AlgorithmiaError, NotFound, Unavailable
from rotoscope.algorithmia.gate import Gate
from rotoscope.algorithmia.paid import PaidFrames
from rotoscope.algorithmia.painter import RemotePainter
from rotoscope.algorithmia.spending import Budget, Ledger, estimate
from rotoscope.errors import Refused
from rotoscope.media.video import Video
from rotoscope.plan import Chunk, paid_digest
from rotoscope.request import Request
from rotoscope.store import keys
from rotoscope.store.base import Store

log = logging.getLogger(__name__)

Connect = Callable[[], Endpoint]
"""Gives the endpoint of the run's connection; called only where a filter is remote."""


def nowhere() -> Endpoint:
    """For steps that have no connection. Raises Refused."""
    raise Refused("This filter paints at an Algorithmia endpoint; say which with an Airflow connection.")


def remote_painter(
    store: Store, request: Request, video: Video, chunk: Chunk, run_id: str, endpoint: Endpoint
) -> RemotePainter:
    """A painter for one chunk."""
    filter = request.texture
    assert filter.remote is not None
    desk = Desk(endpoint.data, desk_uri(endpoint.scratch, run_id, chunk.index), filter.remote.pictures)
    gate = Gate(endpoint.calls_at_once, endpoint.batch_frames)
    ledger = Ledger(store, run_id, endpoint.prices, endpoint.batch_frames)
    caller = Caller(endpoint.client, filter, desk, gate, ledger, endpoint.grace)
    return RemotePainter(desk, PaidFrames(store, paid_digest(request, video)), caller, gate)


def open_budget(store: Store, request: Request, run_id: str, frames: int, connect: Connect) -> None:
    """Say what a run is expected to spend on its unpainted frames, and keep what it may.

    Raises Refused if the least that it can take is beyond the request's cap.
    """
    if not request.is_remote or not frames:
        return
    endpoint = connect()
    expected = estimate(request, frames, endpoint.batch_frames, endpoint.prices).bill(endpoint.prices)
    log.info("Estimate: %s", ", ".join(f"{name} {value}" for name, value in expected.items() if value))
    budget = Budget(frames=frames, most_calls=request.most_calls, most_cost=request.most_cost)
    store.replace_json(keys.budget(run_id), budget.model_dump())


def clear_scratch(store: Store, run_id: str, connect: Connect) -> None:
    """Delete a run's pictures at the endpoint. Raises Unavailable, which names them, if some cannot be deleted."""
    if not store.exists(keys.budget(run_id)):
        return  # nothing of it was ever there
    endpoint = connect()
    left = []
    try:
        names = [entry.name for entry in endpoint.data.list(endpoint.scratch) if entry.is_directory]
    except NotFound:
        return
    for name in names:
        if name.startswith(run_prefix(run_id)):
            uri = f"{endpoint.scratch.rstrip('/')}/{name}"
            try:
                endpoint.data.delete_directory(uri)
            except AlgorithmiaError as error:
                left.append(f"{uri} ({error})")
    if left:
        raise Unavailable(f"Pictures could not be deleted at the endpoint: {', '.join(left)}.")
