"""Sweep: find what is older than its kind is kept, and let it go, but for what a request or a batch still names."""

from collections.abc import Callable, Iterator
from datetime import datetime

from rotoscope.batch.plan import PLAN, WANTED, BatchPlan
from rotoscope.housekeeping.kinds import KINDS, Kind, Unit, units
from rotoscope.housekeeping.request import HousekeepingRequest
from rotoscope.needs import needs_of
from rotoscope.store import keys
from rotoscope.store.base import Store

Living = Callable[[str, str], bool]
"""Whether a run, given by its DAG and its id, is not over yet."""
REQUESTS, REGISTRATIONS, BATCHES = "rotoscope", "register_video", "rotoscope_batch"
AT_A_TIME = 50
"""Things that are judged together: what comes to need one of them meanwhile is seen before the next ones go."""
Needed = Callable[[Unit], bool]


def old_units(store: Store, request: HousekeepingRequest, now: datetime, living: Living) -> Iterator[tuple[Kind, Unit]]:
    """All that may go, kind by kind, a few at a time, and the next ones judged when these are dealt with."""
    for kind in KINDS:
        age = request.age(kind.name)
        if age is None:
            continue
        old = [unit for unit in units(store, kind) if now - unit.changed >= age]
        for start in range(0, len(old), AT_A_TIME):
            is_needed = _needed(store, kind, request, now, living)
            yield from ((kind, unit) for unit in old[start : start + AT_A_TIME] if not is_needed(unit))


def _needed(store: Store, kind: Kind, request: HousekeepingRequest, now: datetime, living: Living) -> Needed:
    """Tells whether a unit of a kind is still needed."""
    if kind.name == "uploads":
        return lambda unit: living(REGISTRATIONS, unit.key.removeprefix("incoming/"))
    needed: set[str] = set()
    if kind.name in ("scratch", "painted", "results", "videos"):
        needed |= _needed_by_requests(store, living)
    if kind.name in ("batches", "results", "videos"):
        needed |= _needed_by_batches(store, request, now, living)
    return lambda unit: unit.key in needed


def _needed_by_requests(store: Store, living: Living) -> set[str]:
    """What requests rely on that are not over, and their scratch."""
    needed: set[str] = set()
    for entry in store.entries("runs"):
        scratch = entry.key.removesuffix(keys.NEEDS)
        if scratch != entry.key and (needs := needs_of(store, scratch)) and living(REQUESTS, needs.run):
            needed |= {scratch, *needs.prefixes}
    return needed


def _needed_by_batches(store: Store, request: HousekeepingRequest, now: datetime, living: Living) -> set[str]:
    """Batches whose reports are kept or that are not over, and what they name."""
    age, needed = request.age("batches"), set()
    for unit in (unit for kind in KINDS if kind.name == "batches" for unit in units(store, kind)):
        is_old = age is not None and now - unit.changed >= age
        if not is_old or _is_under_way(store, unit, living):
            needed |= {unit.key, *_named_by(store, unit)}
    return needed


def _is_under_way(store: Store, unit: Unit, living: Living) -> bool:
    try:
        return living(BATCHES, store.get_json(f"{unit.key}/{WANTED}")["run"])
    except KeyError:
        return False  # of before runs were written down, or it did not come so far


def _named_by(store: Store, unit: Unit) -> Iterator[str]:
    """Results and videos of a batch."""
    try:
        plan = BatchPlan.model_validate(store.get_json(f"{unit.key}/{PLAN}"))
    except KeyError:
        return  # it has not come so far
    for priced in (item.priced for item in plan.items if item.priced):
        yield keys.results(priced.result)
        yield keys.video(priced.conf["source"].removeprefix("video://"))
