"""The Airflow plugin. Every component and every task imports it, so the app is built at the first request."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from airflow.plugins_manager import AirflowPlugin

PREFIX = "/rotoscope/api/v1"
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Scope]]
Send = Callable[[Scope], Awaitable[None]]


class LateApp:
    """The API, built when it is first asked for something, in the server that it is mounted in."""

    def __init__(self) -> None:
        self._app: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._app is None:
            from rotoscope_api.app import create_app

            self._app = create_app(airflow=scope["app"])
        await self._app(scope, receive, send)


class RotoscopePlugin(AirflowPlugin):
    """What Airflow loads."""

    name = "rotoscope_api"
    fastapi_apps = [{"app": LateApp(), "url_prefix": PREFIX, "name": "Rotoscope API"}]  # noqa: RUF012 - Airflow's way
