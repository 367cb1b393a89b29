"""A batch as it is asked for: which manifest, for which day, and when its rotoscopes may start."""

from datetime import datetime
from typing import Any, Self

import pendulum
from pydantic import BaseModel, ConfigDict, Field

from rotoscope.access import plans
from rotoscope.batch.window import Window, check_zone
from rotoscope.errors import Refused
from rotoscope.fields import validated


class BatchRequest(BaseModel):
    """What a run of a batch is for. `BatchRequest.parse` turns bad values into one sentence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    batch: str | None = Field(
        default=None,
        title="Batch",
        description="Name of a manifest in the store's manifests/ or in include/batches, without its suffix.",
    )
    manifest: str | dict[str, Any] | None = Field(
        default=None,
        title="Manifest",
        description="Or the manifest itself, in YAML or JSON.",
        json_schema_extra={"format": "multiline"},
    )
    date: str | None = Field(
        default=None,
        title="Date",
        description="What {{ ds }} stands for in the manifest, as 2026-11-25; empty for the run's own date.",
    )
    window: str | None = Field(
        default=None,
        title="Window",
        description="Hours in which rotoscopes may start, as 22:00-06:00; empty for any. What has begun is finished.",
    )
    zone: str = Field(default="UTC", title="Time zone", description="Of date and window, as Europe/Berlin.")
    plan: str = Field(default=plans.HOUSE, title="Plan", description="Whose prices and limits count.")

    @classmethod
    def parse(cls, fields: dict[str, Any]) -> Self:
        """The request in these fields. Raises Refused with one sentence for each bad value."""
        request = validated(cls, fields)
        if bool(request.batch) == bool(request.manifest):
            raise Refused("Name a batch, or write its manifest; one of the two.")
        check_zone(request.zone)
        request.window_of()
        request.when(datetime.now().astimezone())
        plans.get(request.plan)
        return request

    def window_of(self) -> Window | None:
        """The window, None for any time."""
        return Window.parse(self.window, self.zone) if self.window else None

    def when(self, run: datetime) -> datetime:
        """The time that it is for, in its zone; run: when it is run. Raises Refused for a date that is none."""
        zone = pendulum.timezone(self.zone)
        if not self.date:
            return run.astimezone(zone)
        try:
            when = datetime.fromisoformat(self.date)
        except ValueError:
            raise Refused(f"{self.date!r} is no date; write one such as 2026-11-25, or 2026-11-25T22:00.") from None
        return when.astimezone(zone) if when.tzinfo else when.replace(tzinfo=zone)
