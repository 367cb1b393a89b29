"""Needs: what the run of a request relies on in the store until it is over, so that housekeeping leaves it alone."""

from typing import Self

from pydantic import BaseModel, ConfigDict

from rotoscope.plan import Plan
from rotoscope.store import keys
from rotoscope.store.base import Store


class Needs(BaseModel):
    """What a run relies on. video, result: their digests; painted: digests of its painted chunks."""

    model_config = ConfigDict(frozen=True)

    run: str
    video: str
    result: str
    painted: list[str]

    @classmethod
    def of(cls, plan: Plan, run_id: str) -> Self:
        """What a run of this plan needs."""
        painted = [digest for chunk in plan.chunks for digest in plan.names(chunk)]
        return cls(run=run_id, video=plan.video, result=plan.result, painted=painted)

    @property
    def prefixes(self) -> set[str]:
        """How the keys of all that begin."""
        painted = {keys.painted(digest).removesuffix(".nut") for digest in self.painted}
        return {keys.video(self.video), keys.results(self.result), *painted}


def needs_of(store: Store, scratch: str) -> Needs | None:
    """What the run with this scratch needs, if it is a request's and has come so far."""
    try:
        return Needs.model_validate(store.get_json(f"{scratch}{keys.NEEDS}"))
    except KeyError:
        return None
