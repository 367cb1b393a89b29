"""Housekeeping: report what a store need not keep any more, and delete it if that is asked for."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from rotoscope.housekeeping.kinds import KINDS, Kind, Unit
from rotoscope.housekeeping.report import Report
from rotoscope.housekeeping.request import HousekeepingRequest
from rotoscope.housekeeping.sweep import Living, old_units
from rotoscope.needs import needs_of
from rotoscope.steps.remote import Connect, clear_scratch
from rotoscope.store import keys
from rotoscope.store.base import Store

OURS = {*(kind.prefix for kind in KINDS), "masks", "weights"}
"""How keys of ours begin that may be large: other uploads in the bucket are somebody else's."""


def keep_house(
    request: HousekeepingRequest, store: Store, run_id: str, now: datetime, living: Living, connect: Connect
) -> Report:
    """Report what is older than it is kept, and delete it where the request says so; gives the report, which is stored.

    living: tells whether a run is not over; connect: gives the endpoint at which cancelled runs may have pictures.
    """
    report = Report(deleted=request.delete)
    try:
        for kind, unit in old_units(store, request, now, living):
            _count(report, unit, partial(_let_go, store, kind, unit, connect))
        _drop_uploads(request, store, now, report)
    finally:
        store.replace_json(keys.housekeeping(run_id), report.model_dump(mode="json"))
    return report


def _count(report: Report, unit: Unit, let_go: Callable[[], None]) -> None:
    """Let something go if that is asked for, and count it in. One that cannot go does not keep the others."""
    try:
        if report.deleted:
            let_go()
    except Exception as error:
        report.notices.append(f"{unit.key} stays, since it cannot be deleted: {error}")
    else:
        report.add(unit)


def _let_go(store: Store, kind: Kind, unit: Unit, connect: Connect) -> None:
    if kind.prefix == "runs" and (needs := needs_of(store, unit.key)):
        clear_scratch(store, needs.run, connect)
    for end in kind.ends:
        store.delete(unit.key + end)


def _drop_uploads(request: HousekeepingRequest, store: Store, now: datetime, report: Report) -> None:
    """Uploads in parts that nobody ended: a bucket charges for their parts, and lists them nowhere else."""
    age = request.age("uploads")
    for entry, upload in store.unfinished():
        if age is not None and now - entry.modified >= age and entry.key.partition("/")[0] in OURS:
            unit = Unit("uploads", entry.key, 0, entry.bytes, entry.modified)
            _count(report, unit, partial(store.drop_parts, entry.key, upload))
