"""What all routes share: the store, Airflow in the same process, and the count of requests."""

import asyncio
import functools
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, ParamSpec, TypeVar

import anyio.to_thread

from object_store.connection import store_from
from rotoscope.errors import RotoscopeError
from rotoscope.store.base import Store
from rotoscope_api.airflow import Inside
from rotoscope_api.rates import Rates

P = ParamSpec("P")
T = TypeVar("T")


class Services:
    """One of them for each server. airflow: the app that ours is mounted in."""

    def __init__(self, airflow: Any) -> None:
        self.inside = Inside(airflow)
        self.rates = Rates()
        self._aside: ProcessPoolExecutor | None = None

    @functools.cached_property
    def store(self) -> Store:
        """The store that the connection `rotoscope_store` points at."""
        return store_from()

    async def aside(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do what paints in a process of its own, which keeps its networks for the next time."""
        if self._aside is None:
            self._aside = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
        call = functools.partial(work, *args, **kwargs)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._aside, call)
        except BrokenProcessPool:
            self._aside = None
            raise RotoscopeError("The process that paints single pictures ended; ask again.") from None


async def threaded(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do what blocks, such as reading the store, in a thread, so that others go on meanwhile."""
    return await anyio.to_thread.run_sync(functools.partial(work, *args, **kwargs))
