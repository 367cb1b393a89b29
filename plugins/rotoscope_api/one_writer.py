"""Airflow's server on SQLite, which lets one write at a time.

Airflow commits its audit log in the event loop. If another request has written in its thread by then, and its commit
waits for the loop, both stand still until SQLite gives up after 5 s, one of them is answered with 500, and nobody else
is answered meanwhile. Two runs started at once are enough for it. (Airflow 3.3: api_fastapi/logging/decorators.py.)
"""

import asyncio
import contextlib
from typing import Any

from airflow.configuration import conf

READS = ("GET", "HEAD", "OPTIONS")


class OneWriter:
    """Middleware of Airflow's own server: on SQLite, requests that may write go one after the other.

    apart: how the paths begin whose requests need no turn, since they write by requests to Airflow, which take theirs.
    """

    def __init__(self, app: Any, apart: str) -> None:
        self._next = app
        self._apart = apart
        self._is_sqlite = (conf.get("database", "sql_alchemy_conn") or "").startswith("sqlite")
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async with self._turn if self._may_write(scope) else contextlib.nullcontext():
            await self._next(scope, receive, send)

    def _may_write(self, scope: Any) -> bool:
        if not self._is_sqlite or scope["type"] != "http" or scope["method"] in READS:
            return False
        return not scope["path"].startswith(self._apart)
