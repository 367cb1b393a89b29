"""The application: its routes, and every error in the protocol's shape."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from algorithmia_server import algorithms_route, answers, data, metrics
from algorithmia_server.errors import ProtocolError


def create_app() -> FastAPI:
    """The server, set up by its settings."""
    app = FastAPI(title="Algorithmia-compatible server", openapi_url=None)
    app.include_router(algorithms_route.router)
    app.include_router(data.router)
    app.include_router(metrics.router)
    app.add_exception_handler(ProtocolError, _refused)
    app.add_exception_handler(HTTPException, _not_served)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(Exception, _broken)

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    return app


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProtocolError)
    return answers.refused(error)


async def _not_served(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return answers.refused(
        ProtocolError(f"{request.method} {request.url.path}: {error.detail}", None, error.status_code)
    )


async def _not_understood(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return answers.refused(ProtocolError(f"{first['loc'][-1]}: {first['msg']}", "ParsingError", 400))


async def _broken(request: Request, error: Exception) -> Response:
    return answers.refused(ProtocolError("internal error", None, 500))
