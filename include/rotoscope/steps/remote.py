"""What the steps do where a filter paints at an Algorithmia endpoint."""

import logging
from collections.abc import Callable

from rotoscope.algorithmia.calls import Caller
from rotoscope.algorithmia.desk import EXTENSIONS, Desk, run_prefix
from rotoscope.algorithmia.endpoint import Endpoint
from rotoscope.algorithmia.errors import AlgorithmiaError, NotFound, Unavailable
from rotoscope.algorithmia.gate import Gate
from rotoscope.algorithmia.paid import PaidFrames
from rotoscope.algorithmia.painter import RemotePainter
from rotoscope.algorithmia.spending import Budget, Ledger, Spent, estimate
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
    paid = PaidFrames(store, paid_digest(request, video))
    name = f"{paid.digest[:12]}-{chunk.index:05}"
    uri = f"{endpoint.scratch.rstrip('/')}/{run_prefix(store, run_id)}{name}"
    desk = Desk(endpoint.data, uri, filter.remote.pictures)
    gate = Gate(endpoint.calls_at_once, endpoint.batch_frames)
    ledger = Ledger(store, run_id, name, endpoint.prices, endpoint.batch_frames)
    return RemotePainter(desk, paid, Caller(endpoint.client, filter, desk, gate, ledger, endpoint.grace), gate)


def open_budget(
    store: Store, request: Request, video: Video, run_id: str, chunks: list[Chunk], connect: Connect
) -> None:
    """Say what a run is expected to spend on its unpainted chunks, and keep what it may.

    Raises Refused if the least that it can take is beyond the request's cap.
    """
    if not request.is_remote:
        return
    frames = sum(chunk.frames for chunk in chunks if not store.exists(keys.painted_record(chunk.lossless)))
    if not frames:
        return
    endpoint = connect()
    before = bill_of(store, run_id, endpoint).frames
    expected = estimate(request, frames, endpoint.batch_frames, endpoint.prices).bill(endpoint.prices)
    log.info("Estimate: %s", ", ".join(f"{name} {value}" for name, value in expected.items() if value))
    caps = {"most_calls": request.most_calls, "most_cost": request.most_cost}
    budget = Budget(frames=before + frames, paid=paid_digest(request, video), **caps)
    store.replace_json(keys.budget(run_id), budget.model_dump())


def bill_of(store: Store, run_id: str, endpoint: Endpoint) -> Spent:
    """What all calls of a run took."""
    return Ledger(store, run_id, "", endpoint.prices, endpoint.batch_frames).total()


def clear_scratch(store: Store, run_id: str, connect: Connect) -> None:
    """Delete a run's pictures at the endpoint, after painted ones that were paid for are kept here.

    Raises Unavailable, which names them, if some cannot be deleted.
    """
    try:
        budget = Budget(**store.get_json(keys.budget(run_id)))
    except KeyError:
        return  # nothing of it was ever there
    endpoint = connect()
    left = []
    try:
        names = [entry.name for entry in endpoint.data.list(endpoint.scratch) if entry.is_directory]
    except NotFound:
        return
    for name in names:
        if name.startswith(run_prefix(store, run_id)):
            uri = f"{endpoint.scratch.rstrip('/')}/{name}"
            try:
                _salvage(endpoint, uri, PaidFrames(store, budget.paid))
                endpoint.data.delete_directory(uri)
            except AlgorithmiaError as error:
                left.append(f"{uri} ({error})")
    if left:
        raise Unavailable(f"Pictures could not be deleted at the endpoint: {', '.join(left)}.")


def _salvage(endpoint: Endpoint, uri: str, paid: PaidFrames) -> None:
    """Keep the painted pictures of a directory. Whether they fit is seen by who uses them."""
    for pictures in EXTENSIONS:
        desk = Desk(endpoint.data, uri, pictures)
        for index in desk.painted():
            paid.keep(index, endpoint.data.read(desk.target(index)))
