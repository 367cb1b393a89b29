"""Calls that paint frames: repeated where that can help, and never for a frame that was answered."""

import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rotoscope.algorithmia.client import Answer, Client, Output
from rotoscope.algorithmia.desk import Desk
from rotoscope.algorithmia.errors import (
    AlgorithmiaError,
    BadAnswer,
    BadCredentials,
    ConnectionLost,
    NoJson,
    NotFound,
    PaymentRequired,
    RateLimited,
    TimedOut,
    TooManyCalls,
    Unavailable,
)
from rotoscope.algorithmia.gate import Gate
from rotoscope.algorithmia.placeholders import filled, takes_batches
from rotoscope.algorithmia.spending import Ledger, Spent
from rotoscope.filters.catalogue import Filter

TRIES = 4
"""Of a call that fails without a reason to wait."""
PATIENCE_SECONDS = 600.0
"""For an endpoint that has no room, before the task itself is tried again later."""
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.5, 30.0
LOOK_SECONDS = 0.5
NOT_STARTED = (RateLimited, TooManyCalls, BadCredentials, PaymentRequired, NotFound)
"""Failures of calls that never began, so that they cost nothing."""

LOST = (ConnectionLost, NoJson, TimedOut)
"""Failures after which the endpoint may still paint, or has painted."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Caller:
    """Has frames on a desk painted by a filter. grace: seconds in which a call that was lost may still finish."""

    client: Client
    filter: Filter
    desk: Desk
    gate: Gate
    ledger: Ledger
    grace: float
    settled: list[Spent] = field(default_factory=list)

    @property
    def spent(self) -> Spent:
        """What its calls took."""
        return sum(self.settled, Spent())

    def call(self, indices: Sequence[int]) -> None:
        """Have these frames painted. Raises a kind of AlgorithmiaError if the endpoint does not, Refused at the cap."""
        for part in self._parts(indices):
            self._until_painted(part, None)

    def begin(self, indices: Sequence[int]) -> None:
        """Have these frames painted without waiting for it. Raises the same."""
        for part in self._parts(indices):
            self._until_painted(part, "void")

    def _parts(self, indices: Sequence[int]) -> list[Sequence[int]]:
        remote = self.filter.remote
        assert remote is not None
        return [indices] if takes_batches(remote.input) else [[index] for index in indices]

    def _until_painted(self, indices: Sequence[int], output: Output | None) -> None:
        missing = list(indices)

        def came() -> bool:
            """Whether all lie painted there, however the call ended."""
            painted = self.desk.painted()
            missing[:] = [index for index in missing if index not in painted]
            return not missing

        self._repeated(lambda: self._call(missing, output), came)

    def _repeated(self, call: Callable[[], None], came: Callable[[], bool]) -> None:
        started, wait, tries = time.monotonic(), FIRST_WAIT_SECONDS, 0
        while True:
            try:
                return call()
            except AlgorithmiaError as error:
                tries += error.when == "now"
                if error.when == "never" or tries >= TRIES or time.monotonic() - started > PATIENCE_SECONDS:
                    raise
                log.warning("A call failed and is repeated: %s", error)
                self._yielded(error)
                grace = 0.0 if isinstance(error, NOT_STARTED) else self.grace
                if self._came_within(grace, came):
                    return None
                pause = error.wait if error.wait is not None else wait * random.uniform(0.5, 1.5)
                time.sleep(min(pause, LONGEST_WAIT_SECONDS))
                wait *= 2

    def _yielded(self, error: AlgorithmiaError) -> None:
        if isinstance(error, RateLimited | TooManyCalls | Unavailable):
            self.gate.was_too_much()
        if isinstance(error, TimedOut | Unavailable):
            self.gate.was_too_long()

    def await_pending(self) -> None:
        """Wait for frames that calls made before, by whoever died here, may still bring."""
        pending = self.ledger.pending()
        while pending and (late := set(pending) - self.desk.painted()):
            if all(pending[index] < time.time() for index in late):
                return
            time.sleep(LOOK_SECONDS)

    def _came_within(self, seconds: float, came: Callable[[], bool]) -> bool:
        """Whether all frames of a call that failed come nevertheless."""
        deadline = time.monotonic() + seconds
        while not came():
            if time.monotonic() > deadline:
                return False
            time.sleep(LOOK_SECONDS)
        return True

    def _call(self, indices: Sequence[int], output: Output | None) -> None:
        remote = self.filter.remote
        assert remote is not None
        sources, targets = [self.desk.source(i) for i in indices], [self.desk.target(i) for i in indices]
        input = filled({**remote.input, **self.filter.parameters}, sources, targets)
        with self.gate.call():
            # As long as the endpoint may take; somebody who goes on in our place waits so long for its pictures.
            expected = Spent(calls=1, seconds=len(indices) * remote.frame_seconds)
            reserved = self.ledger.reserve(indices, expected, self.client.timeout)
            start = time.monotonic()
            try:
                answer = self.client.call(remote.algorithm, input, output=output)
            except AlgorithmiaError as error:
                if isinstance(error, NOT_STARTED):
                    self.ledger.withdraw(reserved)
                elif isinstance(error, LOST):
                    self._settle(reserved, expected)  # what it took is not known
                else:
                    self._settle(reserved, Spent(calls=1, seconds=error.seconds))
                raise
            void = output == "void"
            seconds = expected.seconds if void else answer.seconds
            spent = Spent(1, len(indices), seconds, answer.sent, answer.received)
            self._settle(reserved, spent, still_painting=void)
        self.gate.went_well(time.monotonic() - start)
        _check(answer, len(indices))

    def moved(self, spent: Spent) -> None:
        """Count pictures that went beside the calls."""
        self.ledger.note(spent)
        self.settled.append(spent)

    def _settle(self, reserved: str, spent: Spent, *, still_painting: bool = False) -> None:
        self.ledger.settle(reserved, spent, still_painting=still_painting)
        self.settled.append(spent)


def _check(answer: Answer, frames: int) -> None:
    """Raises BadAnswer if an answer that names what was saved names too few or too many."""
    saved = answer.result.get("savePaths") if isinstance(answer.result, dict) else None
    if isinstance(saved, list) and len(saved) != frames:
        raise BadAnswer(f"The endpoint painted {len(saved)} pictures where {frames} were asked for.")
