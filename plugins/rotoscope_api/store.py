"""The store as a parameter of a route."""

from typing import Annotated

from fastapi import Depends, Request

from rotoscope.store import keys
from rotoscope.store.base import Store


def _store(request: Request) -> Store:
    store: Store = request.app.state.services.store
    return store


StoreDep = Annotated[Store, Depends(_store)]


def let_go(store: Store, prefix: str, run_id: str) -> None:
    """A run holds what is below a prefix no more; if no other does, it is deleted."""
    store.delete(keys.held(prefix, run_id))
    if not any(store.below(keys.held(prefix))):
        store.delete(prefix)
