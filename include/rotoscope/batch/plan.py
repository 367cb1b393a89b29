"""Batch plan: what one run of a batch does, decided when all of its videos are known and before anything starts."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from rotoscope.batch import ids
from rotoscope.batch.manifest import Manifest
from rotoscope.batch.wanted import Wanted
from rotoscope.store import keys

WANTED, PLAN = "wanted.json", "plan.json"
"""Names of what a batch asks for, and of its plan, below its prefix in the store."""

Fate = Literal["paint", "there", "same", "over", "refused"]
"""Paint it; its result is there; the same is in the batch already; it goes over a cap; it cannot be painted."""


class Priced(BaseModel):
    """What a wanted rotoscope takes. conf: what its run is started with; result: digest of its result.

    painting, endpoint: US dollars for its frames, by the plan of whom it is for, and for calls of an endpoint.
    """

    model_config = ConfigDict(frozen=True)

    conf: dict[str, Any]
    result: str
    frames: int
    painting: float
    endpoint: float

    @property
    def cost(self) -> float:
        return self.painting + self.endpoint


class Found(BaseModel):
    """A wanted rotoscope. name: of its video; priced: what it takes; refused: why it cannot be painted."""

    model_config = ConfigDict(frozen=True)

    wanted: Wanted
    name: str
    priced: Priced | None = None
    refused: str = ""


class Item(BaseModel):
    """A wanted rotoscope and what becomes of it. label: for people; run: the id of its run.

    why: a sentence, where it is not painted; same: the place in the plan of the one that it is the same as.
    """

    model_config = ConfigDict(frozen=True)

    wanted: Wanted
    label: str
    fate: Fate
    why: str = ""
    run: str = ""
    same: int | None = None
    priced: Priced | None = None


class BatchPlan(BaseModel):
    """What a run of a batch does."""

    model_config = ConfigDict(frozen=True)

    title: str
    at_once: int
    notices: list[str]
    items: list[Item]

    @property
    def to_paint(self) -> list[Item]:
        """What is started, in this order."""
        return [item for item in self.items if item.fate == "paint"]


def make_plan(manifest: Manifest, found: list[Found], there: set[str], run_id: str, notices: list[str]) -> BatchPlan:
    """The plan of a run.

    found: everything wanted; there: digests of results that there are. What comes first is what a cap leaves room for.
    """
    items: list[Item] = []
    places: dict[str, int] = {}
    frames, cost = 0, 0.0
    for one in found:
        label, priced = f"{one.name}, {one.wanted.way}", one.priced
        if priced is None:
            items.append(Item(wanted=one.wanted, label=label, fate="refused", why=one.refused))
            continue
        same = places.setdefault(priced.result, len(items))
        if same != len(items):
            why = f"It is the same as {items[same].label}."
            items.append(Item(wanted=one.wanted, label=label, fate="same", why=why, same=same, priced=priced))
        elif priced.result in there:
            items.append(Item(wanted=one.wanted, label=label, fate="there", why="Its result was there.", priced=priced))
        elif why := _over(manifest, priced, frames, cost):
            items.append(Item(wanted=one.wanted, label=label, fate="over", why=why, priced=priced))
        else:
            frames, cost = frames + priced.frames, cost + priced.cost
            run = ids.started_by(run_id, keys.digest(priced.conf))
            items.append(Item(wanted=one.wanted, label=label, fate="paint", run=run, priced=priced))
    return BatchPlan(title=manifest.title, at_once=manifest.at_once, notices=notices, items=items)


def _over(manifest: Manifest, priced: Priced, frames: int, cost: float) -> str:
    """Why this goes over a cap, if it does."""
    if manifest.most_frames is not None and frames + priced.frames > manifest.most_frames:
        return f"It has {priced.frames} frames, and of {manifest.most_frames} at most {frames} are planned before it."
    if manifest.most_cost is not None and cost + priced.cost > manifest.most_cost:
        return f"It costs {priced.cost:g} USD, and of {manifest.most_cost:g} at most {cost:g} are planned before it."
    return ""
