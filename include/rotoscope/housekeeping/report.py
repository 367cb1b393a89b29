"""What housekeeping found and freed, kind by kind."""

from collections.abc import Iterator
from datetime import datetime

from pydantic import BaseModel

from rotoscope.housekeeping.kinds import Unit

MIB = 2**20


class Row(BaseModel):
    """A kind. things: keys, or prefixes of objects that belong together; changed: the last time for the oldest."""

    kind: str
    things: list[str] = []
    objects: int = 0
    bytes: int = 0
    oldest: datetime | None = None

    def add(self, unit: Unit) -> None:
        """Count something in."""
        self.things.append(unit.key)
        self.objects += unit.objects
        self.bytes += unit.bytes
        self.oldest = min(self.oldest or unit.changed, unit.changed)


class Report(BaseModel):
    """What would go, or went. notices: what could not be deleted, and why."""

    deleted: bool
    rows: dict[str, Row] = {}
    notices: list[str] = []

    def add(self, unit: Unit) -> None:
        """Count something in."""
        self.rows.setdefault(unit.kind, Row(kind=unit.kind)).add(unit)

    @property
    def bytes(self) -> int:
        return sum(row.bytes for row in self.rows.values())

    def lines(self) -> Iterator[str]:
        """For people, in one line each."""
        yield f"{'kind':<12} {'things':>8} {'objects':>8} {'MiB':>10}  oldest"
        for row in self.rows.values():
            size = f"{row.bytes / MIB:.1f}"
            yield f"{row.kind:<12} {len(row.things):>8} {row.objects:>8} {size:>10}  {row.oldest:%Y-%m-%d %H:%M}"
        done = "freed" if self.deleted else "would be freed; run it again with `delete` to do so"
        yield f"{self.bytes / MIB:.1f} MiB {done}."
        yield from self.notices
