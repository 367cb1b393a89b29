"""Plans: what a caller may take, as data files in include/plans in the schema of API Commons' plans."""

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from rotoscope.errors import Refused

FOLDER = Path(__file__).resolve().parents[2] / "plans"
HOUSE = "house"
"""The plan of Airflow's own users."""
UNLIMITED = -1
Metric = Literal["requests", "frames", "jobs", "seconds"]


class Entry(BaseModel):
    """One thing that a plan counts. limit: -1 for none; price: in US dollars for a unit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    description: str
    metric: Metric
    limit: int
    timeFrame: Literal["minute", "month", "usage"]  # noqa: N815 - the schema's name
    geo: str
    unit: int
    price: float


class Element(BaseModel):
    """A feature that a plan has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str


class Plan(BaseModel):
    """An access tier: https://github.com/api-commons/plans."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    name: str
    description: str
    entries: list[Entry] = Field(description="What is counted, and how much of it there may be.")
    elements: list[Element] = Field(description="What the plan has.")

    def limit(self, metric: Metric) -> int | None:
        """How much of it there may be: requests a minute, frames a month, jobs at once, seconds of a video."""
        limit = self._entry(metric).limit
        return None if limit == UNLIMITED else limit

    @property
    def price_per_frame(self) -> float:
        """In US dollars."""
        entry = self._entry("frames")
        return entry.price / entry.unit

    def _entry(self, metric: Metric) -> Entry:
        return next(entry for entry in self.entries if entry.metric == metric)


@cache
def plans() -> dict[str, Plan]:
    """Every plan by its id."""
    found = [Plan.model_validate_json(path.read_text()) for path in sorted(FOLDER.glob("*.json"))]
    return {one.id: one for one in found}


def get(plan_id: str) -> Plan:
    """The plan of this id. Raises Refused with the ids that there are."""
    try:
        return plans()[plan_id]
    except KeyError:
        raise Refused(f"There is no plan {plan_id!r}; choose one of {', '.join(plans())}.") from None
