"""Housekeeping as it is asked for: for how many days each kind of thing is kept, and whether anything is deleted."""

from datetime import timedelta
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from rotoscope.fields import validated

LEAST_DAYS = 1
"""So long nothing goes, since it may belong to what is just being made."""


def _days(default: float | None, title: str, what: str) -> Any:
    return Field(default=default, ge=LEAST_DAYS, title=title, description=f"Days to keep {what}; empty for good.")


class HousekeepingRequest(BaseModel):
    """Days for which each kind is kept, None for good. `parse` turns bad values into one sentence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    delete: bool = Field(
        default=False, title="Delete", description="Off, it only reports what would go: look at that first."
    )
    scratch: float | None = _days(2, "Scratch", "half-made files of runs that were cancelled or killed")
    uploads: float | None = _days(7, "Uploads", "uploads that nobody completed")
    checkpoints: float | None = _days(30, "Checkpoints", "states of trainings, to go on from")
    bought: float | None = _days(30, "Bought frames", "frames of an endpoint whose chunk was never whole")
    deliveries: float | None = _days(30, "Deliveries", "records of what webhooks were told")
    failures: float | None = _days(90, "Failures", "reasons of failed runs")
    painted: float | None = _days(90, "Painted chunks", "what results in other formats are made of; results stay")
    batches: float | None = _days(None, "Batches", "reports of batches, and what they name")
    frames: float | None = _days(None, "Frames", "sets of frames as pictures")
    sheets: float | None = _days(None, "Contact sheets", "contact sheets")
    results: float | None = _days(None, "Results", "painted videos")
    videos: float | None = _days(None, "Videos", "registered sources")

    @classmethod
    def parse(cls, fields: dict[str, Any]) -> Self:
        """The request in these fields. Raises Refused with one sentence for each bad value."""
        return validated(cls, fields)

    def age(self, kind: str) -> timedelta | None:
        """For how long a kind is kept, None for good."""
        days = getattr(self, kind)
        return None if days is None else timedelta(days=days)
