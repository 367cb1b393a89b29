"""Usage: how many frames a tenant asked for in a month. Each request is an object whose key says its frames."""

import re
from datetime import UTC, datetime
from pathlib import PurePosixPath

from rotoscope.store import keys
from rotoscope.store.base import Store

MARK = re.compile(r"(.+)=(\d+)\.json")
"""A run, and the frames that it takes."""


class OverLimit(Exception):
    """A request would take more frames than are left. used: of this month, without it."""

    def __init__(self, used: int) -> None:
        super().__init__(used)
        self.used = used


def this_month() -> str:
    """Such as 2026-11, in UTC."""
    return f"{datetime.now(UTC):%Y-%m}"


def frames(store: Store, tenant: str, month: str) -> int:
    """Frames that a tenant asked for in a month."""
    return sum(_counts(store, tenant, month).values())


def book(store: Store, tenant: str, run_id: str, count: int, limit: int | None) -> None:
    """Count a run's frames, once. Raises OverLimit, and counts nothing, if that would be more than the limit.

    The mark is made first and looked at with all others, so that requests side by side never pass the limit together.
    """
    month = this_month()
    if run_id in _counts(store, tenant, month):
        return
    key = keys.usage(tenant, month, run_id, count)
    store.put_json(key, {"run": run_id, "frames": count})
    used = frames(store, tenant, month)
    if limit is not None and used > limit:
        store.delete(key)
        raise OverLimit(used - count)


def give_back(store: Store, tenant: str, run_id: str) -> None:
    """Count a run's frames no more: it could not be started."""
    month = this_month()
    for run, count in _counts(store, tenant, month).items():
        if run == run_id:
            store.delete(keys.usage(tenant, month, run, count))


def _counts(store: Store, tenant: str, month: str) -> dict[str, int]:
    marks = (MARK.fullmatch(PurePosixPath(key).name) for key in store.below(keys.usage(tenant, month)))
    return {mark[1]: int(mark[2]) for mark in marks if mark}  # some servers list what is still being written


def seconds_to_next_month() -> int:
    """Seconds until frames are counted from zero again."""
    now = datetime.now(UTC)
    first = now.replace(year=now.year + now.month // 12, month=now.month % 12 + 1, day=1, hour=0, minute=0, second=0)
    return int((first - now).total_seconds()) + 1
