"""Sweep: find what is older than its kind is kept, and let it go, but for what a request or a batch still names."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from rotoscope.batch.plan import BatchPlan
from rotoscope.housekeeping.kinds import KINDS, Kind, Unit, units
from rotoscope.housekeeping.request import HousekeepingRequest
from rotoscope.needs import Needs, needs_of
from rotoscope.store import keys
from rotoscope.store.base import Store

Living = Callable[[str, str], bool]
"""Whether a run, given by its DAG and its id, is not over yet."""
LEAST = timedelta(days=1)
"""What belongs to a run that cannot be asked about, since no run is named there, is kept at least so long."""
RUN_KINDS = {"scratch", "batches"}
REQUESTS, REGISTRATIONS = "rotoscope", "register_video"


def old_units(store: Store, request: HousekeepingRequest, now: datetime, living: Living) -> Iterator[tuple[Kind, Unit]]:
    """All that may go, kind by kind, and each kind only looked for when the one before it is dealt with."""
    for kind in KINDS:
        age = request.age(kind.name)
        if age is None:
            continue
        old = [unit for unit in units(store, kind) if now - unit.changed >= age]
        if old:
            is_needed = _needed_by(store, request, now, living)
            yield from ((kind, unit) for unit in old if not is_needed(unit))


def _needed_by(store: Store, request: HousekeepingRequest, now: datetime, living: Living) -> Callable[[Unit], bool]:
    """Tells whether a unit is still needed."""
    runs = dict(_runs(store))
    alive = {key for key, needs in runs.items() if living(REQUESTS, needs.run)}
    named = {unit for key in alive for unit in runs[key].prefixes} | _named_by_batches(store, request, now)

    def is_needed(unit: Unit) -> bool:
        if unit.kind == "uploads":
            return living(REGISTRATIONS, unit.key.removeprefix("incoming/"))
        if unit.kind in RUN_KINDS and unit.key not in runs and now - unit.changed < LEAST:
            return True
        return unit.key in named | alive

    return is_needed


def _runs(store: Store) -> Iterator[tuple[str, Needs]]:
    """What requests need, by the prefix of their scratch."""
    for entry in store.entries("runs"):
        scratch = entry.key.removesuffix(keys.NEEDS)
        if scratch != entry.key and (needs := needs_of(store, scratch)):
            yield scratch, needs


def _named_by_batches(store: Store, request: HousekeepingRequest, now: datetime) -> set[str]:
    """What batches name whose reports are kept."""
    age, named = request.age("batches"), set()
    for kind in (one for one in KINDS if one.name == "batches"):
        for unit in units(store, kind):
            if age is not None and now - unit.changed >= max(age, LEAST):
                continue
            try:
                plan = BatchPlan.model_validate(store.get_json(f"{unit.key}/plan.json"))
            except KeyError:
                continue  # it has not come so far
            for priced in (item.priced for item in plan.items if item.priced):
                named |= {keys.results(priced.result), keys.video(priced.conf["source"].removeprefix("video://"))}
    return named
