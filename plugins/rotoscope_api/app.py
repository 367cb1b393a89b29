"""The API as an application: its routers, its manners, and the document that describes it."""

import re
from typing import Any

from fastapi import FastAPI

from rotoscope_api import problems
from rotoscope_api.manners import Manners
from rotoscope_api.openapi import operation_id
from rotoscope_api.plugin import PREFIX
from rotoscope_api.routers import (
    batches,
    chunks,
    contact_sheets,
    documents,
    estimates,
    filters,
    frame_sets,
    keys,
    pictures,
    presets,
    rotoscopes,
    schedules,
    status,
    usage,
    videos,
    webhooks,
)
from rotoscope_api.services import Services

STREAMED = re.compile(rf"^{PREFIX}/(videos/[^/]+/upload/content|pictures|filtered-pictures)$")
"""Paths whose bodies are no JSON; their routes take them piece by piece."""
ROUTERS = (
    videos,
    rotoscopes,
    chunks,
    estimates,
    filters,
    pictures,
    frame_sets,
    contact_sheets,
    batches,
    schedules,
    presets,
    webhooks,
    keys,
    usage,
    status,
    documents,
)


def create_app(airflow: Any) -> FastAPI:
    """The application. airflow: the server's own, in which it is mounted, to be asked with the caller's rights."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, generate_unique_id_function=operation_id)
    app.state.services = Services(airflow)
    problems.install(app)
    for module in ROUTERS:
        app.include_router(module.router)
    app.add_middleware(Manners, streamed=STREAMED)
    return app
