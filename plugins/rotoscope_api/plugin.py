"""The Airflow plugin. Every component and every task imports it, so the app is built where a server needs it."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from airflow.plugins_manager import AirflowPlugin

from rotoscope_api.one_writer import OneWriter

PREFIX = "/rotoscope/api/v1"
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Scope]]
Send = Callable[[Scope], Awaitable[None]]


class LateApp:
    """The API, built once it is needed, in the server that it is mounted in."""

    def __init__(self) -> None:
        self._app: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.built(scope["app"])(scope, receive, send)

    def built(self, airflow: Any) -> Any:
        """The API, in the server `airflow`."""
        if self._app is None:
            from rotoscope_api.app import create_app

            self._app = create_app(airflow)
        return self._app


class Beginning:
    """Middleware of Airflow's own server, through which everything passes: it does what is done once, at its start."""

    def __init__(self, app: Any) -> None:
        self._next = app
        self._courier: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" and self._courier is None:
            from rotoscope_api.courier import Courier

            courier = Courier(API.built(scope["app"]).state.services)
            self._courier = asyncio.create_task(courier.work())
            _collect_less_garbage()
        await self._next(scope, receive, send)


def _collect_less_garbage() -> None:
    """Nobody is answered while the collector walks all objects, half a second for the million that Airflow makes.

    So it leaves out those of the start and, once it walked them, those that come with the first calls; from then on it
    walks the others a tenth as often.
    """
    gc.collect()
    gc.freeze()
    gc.callbacks.append(_settled)


def _settled(phase: str, walked: dict[str, int]) -> None:
    if phase == "stop" and walked["generation"] == 2:
        gc.freeze()
        young, middle, old = gc.get_threshold()
        gc.set_threshold(young, middle, 10 * old)
        gc.callbacks.remove(_settled)


API = LateApp()


class RotoscopePlugin(AirflowPlugin):
    """What Airflow loads."""

    name = "rotoscope_api"
    fastapi_apps = [{"app": API, "url_prefix": PREFIX, "name": "Rotoscope API"}]  # noqa: RUF012 - Airflow's way
    external_views = [  # noqa: RUF012
        {"name": "Rotoscope API", "href": f"{PREFIX}/reference", "destination": "nav", "url_route": "rotoscope-api"}
    ]
    fastapi_root_middlewares = [  # noqa: RUF012
        {"middleware": Beginning, "name": "Rotoscope's beginning"},
        {"middleware": OneWriter, "kwargs": {"apart": PREFIX}, "name": "One writer"},
    ]
