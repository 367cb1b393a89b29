"""Schedules: when a batch runs by itself, as data. Airflow makes a DAG of each."""

import json
import logging
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Self

from croniter import croniter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from rotoscope.batch.manifest import Entry, Manifest, Ways
from rotoscope.batch.window import Window, check_zone
from rotoscope.errors import Refused
from rotoscope.fields import model_of
from rotoscope.store import keys
from rotoscope.store.base import Store

log = logging.getLogger(__name__)
FOLDER = Path(__file__).resolve().parents[2] / "schedules"
NAME = r"^[a-z0-9][a-z0-9_.-]{0,99}$"
LEAST_SECONDS = 60
TAG = "schedule"
"""Of these DAGs."""


class Schedule(BaseModel):
    """When a batch runs, and which: by the clock, or whenever a video arrives in an inbox."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="Rotoscope schedule")

    name: str = Field(pattern=NAME, description="Of the schedule, and of its DAG: small letters, digits and _.-.")
    title: str = Field(default="", max_length=200, description="What people call it.")
    cron: str | None = Field(default=None, max_length=100, description="When, as cron has it: `0 22 * * 1-5`.")
    every: int | None = Field(default=None, ge=LEAST_SECONDS, description="Or every so many seconds.")
    inbox: str | None = Field(
        default=None,
        max_length=1000,
        description="Or whenever a video arrives: a prefix or a pattern, in the store, in a folder or at s3://.",
    )
    zone: str = Field(default="UTC", description="Time zone of cron, dates and window, as Europe/Berlin.")
    batch: str = Field(default="", max_length=100, description="Name of a batch manifest; for an inbox, leave it out.")
    manifest: Manifest | None = Field(default=None, description="Or the manifest itself.")
    paint: Ways | None = Field(default=None, description="For an inbox: how what arrives there is painted.")
    window: str = Field(default="", description="Hours in which rotoscopes may start, as 22:00-06:00.")
    deadline: int | None = Field(default=None, ge=1, description="Seconds in which its batch must be over.")
    enabled: bool = Field(default=True, description="Whether it runs by itself.")
    catch_up: bool = Field(default=False, description="Whether times since `start` that were missed are made up for.")
    start: AwareDatetime | None = Field(default=None, description="Since when there are times to catch up with.")

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if [self.cron, self.every, self.inbox].count(None) != 2:
            raise ValueError("say when by one of cron, every and inbox")
        if self.inbox is None and (bool(self.batch) == bool(self.manifest) or self.paint):
            raise ValueError("name a batch, or give its manifest: one of the two")
        if self.inbox is not None and (self.batch or self.manifest or self.paint is None):
            raise ValueError("an inbox has paint, which says how its videos are painted, and no batch")
        if self.cron is not None and not _is_cron(self.cron):
            raise ValueError(f"{self.cron!r} is not five fields of cron; write such as 0 22 * * 1-5")
        return self

    @classmethod
    def of(cls, document: Any) -> Self:
        """The schedule that a document is. Raises Refused with a sentence for each thing that is wrong with it."""
        schedule = model_of(cls, document, "The schedule")
        check_zone(schedule.zone)
        if schedule.window:
            Window.parse(schedule.window, schedule.zone)
        return schedule

    @property
    def dag_id(self) -> str:
        """Of the DAG that Airflow makes of it."""
        return f"schedule_{self.name}"

    @property
    def when(self) -> str:
        """When it runs, for people."""
        if not self.enabled:
            return "by hand alone, since it is not enabled"
        if self.inbox is not None:
            return f"when videos arrive in {self.inbox}"
        return f"at {self.cron} ({self.zone})" if self.cron else f"every {self.every} s"

    def conf(self, videos: list[str], date: str) -> dict[str, Any]:
        """What its batch is started with. videos: what arrived in its inbox, none for all there; date: of the run."""
        common = {"window": self.window, "zone": self.zone, "date": date}
        if self.paint is not None:
            entry = Entry(videos=videos or [self.inbox], **self.paint.model_dump())
            return {"manifest": Manifest(title=self.title, entries=[entry]).model_dump(), **common}
        return {"manifest": self.manifest.model_dump(), **common} if self.manifest else {"batch": self.batch, **common}


def schedules(store: Store | None) -> dict[str, Schedule]:
    """Every schedule by its name: those of include/schedules, and those of the store, which come first.

    One that cannot be used is left out, and the log says why.
    """
    documents: dict[str, Callable[[], Any]] = {
        path.name: partial(_read, path) for path in sorted(FOLDER.glob("*.json"))
    }
    if store is not None:
        documents |= {key: partial(store.get_json, key) for key in store.below(keys.schedule())}
    found: dict[str, Schedule] = {}
    for where, read in documents.items():
        try:
            schedule = Schedule.of(read())
        except (Refused, ValueError, KeyError) as wrong:
            log.warning("The schedule %s cannot be used: %s", where, wrong)
            continue
        found[schedule.name] = schedule
    return found


@lru_cache(maxsize=1000)
def _is_cron(text: str) -> bool:
    """Whether it is five fields of cron. Schedules are read at each look at them, and croniter takes its time."""
    return len(text.split()) == 5 and croniter.is_valid(text)


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
