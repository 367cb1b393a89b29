"""Inbox: which videos have arrived in a place, whole, and were not handed on before."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rotoscope.batch.places import List, find
from rotoscope.store import keys
from rotoscope.store.base import Store
from rotoscope.store.fetching import KEY


@dataclass
class Inbox:
    """A place that is looked at again and again. name: of its schedule; place: a prefix or a pattern."""

    store: Store
    name: str
    place: str
    listed: List
    _before: dict[str, list[Any]] = field(default_factory=dict)

    def look(self) -> list[str]:
        """What is new and was the same at the last look: a file that is still being copied grows."""
        now = {place: self._facts(place) for place in find(self.place, self.store, self.listed)}
        still = [place for place, facts in now.items() if self._before.get(place) == facts]
        self._before = now
        return [place for place in still if not self.store.exists(self._mark(place))]

    def hand_on(self, places: list[str]) -> None:
        """Remember that these were handed on, so that none of them is twice."""
        for place in places:
            self.store.put_json(self._mark(place), {"place": place, "facts": self._before[place]})

    def _mark(self, place: str) -> str:
        return keys.arrived(self.name, keys.digest([place, self._before[place]])[:32])

    def _facts(self, place: str) -> list[Any]:
        """What changes while a file grows, or when another one takes its place; objects of a bucket appear whole."""
        path = Path(self.store.address(place.removeprefix(KEY)) if place.startswith(KEY) else place)
        try:
            facts = path.stat()
        except OSError:
            return []
        return [facts.st_size, facts.st_mtime_ns]
