"""Spending: what calls cost, counted as they are answered, and a cap that stops a request before it is passed."""

import json
import math
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from rotoscope.errors import Refused
from rotoscope.request import Request
from rotoscope.store import keys
from rotoscope.store.base import Store

FOLDER = Path(__file__).resolve().parents[2] / "prices"
GIGABYTE = 10**9
ENOUGH_CALLS = 3
"""Calls after which what they cost says what the others will."""


class Prices(BaseModel):
    """A price list of include/prices: what a call, a second of computing and a gigabyte on its way cost."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    currency: str
    per_call: float
    per_second: float
    per_gigabyte: float

    @classmethod
    @cache
    def named(cls, name: str) -> Self:
        """The price list of this name. Raises Refused with the names that there are."""
        there = sorted(path.stem for path in FOLDER.glob("*.json"))
        if name not in there:
            raise Refused(f"There is no price list {name!r}; include/prices has {', '.join(there)}.")
        return cls(**json.loads((FOLDER / f"{name}.json").read_text()))


@dataclass(frozen=True)
class Spent:
    """What calls took. seconds: of computing as the endpoint counts them; sent, received: bytes."""

    calls: int = 0
    frames: int = 0
    seconds: float = 0.0
    sent: int = 0
    received: int = 0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(
            self.calls + other.calls,
            self.frames + other.frames,
            round(self.seconds + other.seconds, 6),
            self.sent + other.sent,
            self.received + other.received,
        )

    def cost(self, prices: Prices) -> float:
        """In the price list's currency."""
        moved = (self.sent + self.received) / GIGABYTE * prices.per_gigabyte
        return self.calls * prices.per_call + self.seconds * prices.per_second + moved

    def bill(self, prices: Prices) -> dict[str, Any]:
        """As JSON, with the cost."""
        return {**vars(self), "cost": round(self.cost(prices), 6), "currency": prices.currency, "prices": prices.name}


class Budget(BaseModel):
    """What a run may spend, on how many frames, and what names those frames where they are kept."""

    model_config = ConfigDict(frozen=True)

    frames: int
    paid: str
    most_calls: int | None = None
    most_cost: float | None = None


class Ledger:
    """What the calls of a run took, one record for each, in the store: every task of the run sees all of them.

    A call is written down before it is made, with what it is expected to take, so that calls side by side never pass a
    cap together, a call whose worker dies is counted, and whoever goes on knows what is still being painted.
    desk: names where this task's pictures lie.
    """

    def __init__(self, store: Store, run_id: str, desk: str, prices: Prices, batch_frames: int) -> None:
        self._store = store
        self._run = run_id
        self._desk = desk
        self._prices = prices
        self._batch_frames = batch_frames
        self._settled: dict[str, Spent] = {}

    def reserve(self, indices: Sequence[int], expected: Spent, seconds: float) -> str:
        """Write down a call for these frames that will be over in so many seconds; gives the record's key.

        Raises Refused if there is no room for it.
        """
        key = keys.spent(self._run, self._desk, uuid.uuid4().hex)
        still = {"indices": list(indices), "until": time.time() + seconds}
        self._store.replace_json(key, {"spent": vars(expected), "settled": False, **still})
        try:
            self._check()
        except Refused:
            self.withdraw(key)
            raise
        return key

    def settle(self, key: str, spent: Spent, *, still_painting: bool = False) -> None:
        """Write down what a call took; still_painting: the endpoint took it, and is not done with it."""
        before = self._store.get_json(key) if still_painting else {}
        self._store.replace_json(key, {**before, "spent": vars(spent), "settled": True})
        self._settled[key] = spent

    def note(self, spent: Spent) -> None:
        """Write down what was spent beside the calls."""
        self.settle(keys.spent(self._run, self._desk, uuid.uuid4().hex), spent)

    def withdraw(self, key: str) -> None:
        """Strike a call that was not made."""
        self._store.delete(key)

    def pending(self) -> dict[int, float]:
        """Frames of this desk that may still be painted by calls made before, and until when, in seconds since 1970."""
        found: dict[int, float] = {}
        for key in self._store.below(keys.spent(self._run, self._desk)):
            record = self._store.get_json(key)
            if record.get("until", 0) > time.time():
                found |= dict.fromkeys(record["indices"], float(record["until"]))
        return found

    def settled(self) -> Spent:
        """What all calls took of which that is known."""
        self._read()
        return sum(self._settled.copy().values(), Spent())

    def total(self) -> Spent:
        """All calls of the run so far, those included that are still running, by what they are expected to take."""
        return self._read() + self.settled()

    def _read(self) -> Spent:
        """Read the records that are new; gives the calls that are not settled."""
        running = Spent()
        for key in self._store.below(keys.spent(self._run)):
            if key in self._settled:
                continue
            try:
                record = self._store.get_json(key)
            except (KeyError, FileNotFoundError):
                continue  # withdrawn meanwhile
            if record["settled"]:
                self._settled[key] = Spent(**record["spent"])
            else:
                running += Spent(**record["spent"])
        return running

    @cached_property
    def _budget(self) -> Budget | None:
        try:
            return Budget(**self._store.get_json(keys.budget(self._run)))
        except KeyError:
            return None

    def _check(self) -> None:
        budget = self._budget
        if budget is None or (budget.most_calls is None and budget.most_cost is None):
            return
        running = self._read()
        done = self.settled()
        left = max(0, budget.frames - done.frames)
        if budget.most_calls is not None:
            calls = done.calls + running.calls
            forecast = max(calls, done.calls + math.ceil(left / self._batch_frames))
            _stop_beyond(budget.most_calls, calls - 1, forecast, "calls", done.frames, budget.frames)
        if budget.most_cost is not None:
            cost = done.cost(self._prices)
            known = done.calls >= ENOUGH_CALLS and done.frames > 0
            all_of_it = cost * budget.frames / done.frames if known else 0.0
            forecast_cost = max(all_of_it, cost + running.cost(self._prices))
            _stop_beyond(budget.most_cost, cost, forecast_cost, self._prices.currency, done.frames, budget.frames)


def _stop_beyond(most: float, so_far: float, forecast: float, unit: str, done: int, frames: int) -> None:
    if forecast > most:
        raise Refused(
            f"Stopped after {done} of {frames} frames: {so_far:.6g} {unit} are spent, all of it would take some "
            f"{forecast:.6g}, and the cap is {most:.6g}; raise the cap or paint a shorter part. What is painted stays."
        )


def estimate(request: Request, frames: int, batch_frames: int, prices: Prices) -> Spent:
    """What painting so many frames will take. Raises Refused if that is beyond the request's cap.

    Calls are counted with the largest batches; seconds rest on what the catalogue says of the filter. Bytes are not
    known before the frames are.
    """
    remote = request.texture.remote
    assert remote is not None
    expected = Spent(math.ceil(frames / batch_frames), frames, frames * remote.frame_seconds)
    if request.most_calls is not None and expected.calls > request.most_calls:
        raise Refused(
            f"{frames} frames take at least {expected.calls} calls, and the cap is {request.most_calls}; raise the cap "
            "or paint a shorter part."
        )
    return expected
