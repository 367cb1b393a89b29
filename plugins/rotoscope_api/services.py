"""What all routes share: the store, Airflow in the same process, and the count of requests."""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import anyio.to_thread
import httpx

from object_store.connection import store_from
from rotoscope.store.base import Store
from rotoscope_api.rates import Rates

P = ParamSpec("P")
T = TypeVar("T")


class Services:
    """One of them for each server. airflow: the app that ours is mounted in."""

    def __init__(self, airflow: Any) -> None:
        inside = httpx.ASGITransport(app=airflow, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=inside, base_url="http://airflow", trust_env=False, timeout=60)
        self.rates = Rates()

    @functools.cached_property
    def store(self) -> Store:
        """The store that the connection `rotoscope_store` points at."""
        return store_from()


async def threaded(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do what blocks, such as reading the store, in a thread, so that others go on meanwhile."""
    return await anyio.to_thread.run_sync(functools.partial(work, *args, **kwargs))
