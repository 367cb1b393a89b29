"""Problems: every error as a problem document (RFC 9457), with an address of ours that explains its kind."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from rotoscope.errors import Refused, RotoscopeError
from rotoscope.fields import sentences
from rotoscope_api.plugin import PREFIX

log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
SAID = 3
"""Faults that the detail names; `errors` has all of them."""
GONE = "It is not in the store any more."


@dataclass(frozen=True)
class Kind:
    """A kind of problem: its status, its title, and what to do about it, for people."""

    status: int
    title: str
    advice: str


KINDS = {
    "bad-request": Kind(400, "Bad Request", "The request cannot be read. The detail says which part of it."),
    "not-authenticated": Kind(
        401, "Not Authenticated", "Send `Authorization: Bearer` with a token of Airflow, or with a partner key."
    ),
    "forbidden": Kind(403, "Forbidden", "The token or key is known, but may not do this. The detail names the scope."),
    "beyond-plan": Kind(403, "Beyond Plan", "The plan does not allow videos as long as this. Cut it, or change plan."),
    "not-found": Kind(404, "Not Found", "There is no such thing, or it belongs to somebody else."),
    "method-not-allowed": Kind(405, "Method Not Allowed", "The header `Allow` names the methods that this path has."),
    "conflict": Kind(409, "Conflict", "The thing's state does not allow this now. The detail says what would."),
    "precondition-failed": Kind(412, "Precondition Failed", "It has changed since. Get it again, then decide."),
    "too-large": Kind(413, "Too Large", "The body is larger than this path takes. The detail says what it takes."),
    "unsupported-media-type": Kind(415, "Unsupported Media Type", "Send the media type that the reference names."),
    "range-not-satisfiable": Kind(416, "Range Not Satisfiable", "The piece does not follow what is there."),
    "invalid": Kind(422, "Invalid", "Some values cannot be used. Each entry of `errors` points at one and says why."),
    "refused": Kind(422, "Refused", "The values are well-formed, but cannot be done. The detail says what to change."),
    "key-reused": Kind(422, "Idempotency Key Reused", "The key stood for another body. Use a new key for that."),
    "too-many-requests": Kind(429, "Too Many Requests", "Wait as many seconds as `Retry-After` says."),
    "plan-used-up": Kind(429, "Plan Used Up", "The plan's frames of this month, or its jobs at once, are all taken."),
    "internal": Kind(500, "Internal Error", "It is our fault. Tell us the `request_id`."),
    "unavailable": Kind(503, "Unavailable", "A part that this needs is not there now. Ask again later."),
}
BY_STATUS = {kind.status: name for name, kind in reversed(KINDS.items()) if name not in ("beyond-plan", "plan-used-up")}


class Fault(BaseModel):
    """One value that cannot be used."""

    pointer: str = Field(description="Where it is in the body, as a JSON pointer, or the parameter's name.")
    detail: str = Field(description="What is wrong with it.")


class ProblemDocument(BaseModel):
    """An error, as RFC 9457 has it."""

    type: str = Field(description="Address of a page on this kind of problem; stable, to be compared with.")
    title: str = Field(description="The kind, in words.")
    status: int = Field(description="The HTTP status.", ge=400, le=599)
    detail: str = Field(description="What went wrong here, and what to do.")
    instance: str = Field(description="The path that was asked.")
    request_id: str = Field(description="Names this request in our logs.")
    errors: list[Fault] = Field(default=[], description="Each value that cannot be used.")


class Problem(Exception):
    """Ends a request with a problem document of this kind."""

    def __init__(
        self, kind: str, detail: str, headers: dict[str, str] | None = None, errors: Sequence[Fault] = ()
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.headers = headers or {}
        self.errors = list(errors)


def bad_cursor() -> Problem:
    """What a list answers to a cursor that it did not give."""
    detail = "That cursor is not one that this list gave; begin without one."
    return Problem("invalid", detail, errors=[Fault(pointer="cursor", detail=detail)])


def missing(resource_id: str) -> Problem:
    """What is answered where nothing of this id is, or what is is somebody else's."""
    return Problem("not-found", f"There is no {resource_id} here.")


def answer(request: Request, problem: Problem) -> JSONResponse:
    """The problem as a response."""
    kind = KINDS[problem.kind]
    document = ProblemDocument(
        type=f"{PREFIX}/problems/{problem.kind}",
        title=kind.title,
        status=kind.status,
        detail=problem.detail,
        instance=request.url.path,
        request_id=getattr(request.state, "request_id", ""),
        errors=problem.errors,
    )
    return JSONResponse(document.model_dump(), kind.status, problem.headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Let every error of an app be answered so."""

    @app.exception_handler(Problem)
    async def _problem(request: Request, problem: Problem) -> JSONResponse:
        return answer(request, problem)

    @app.exception_handler(Refused)
    async def _refused(request: Request, refused: Refused) -> JSONResponse:
        return answer(request, Problem("refused", str(refused)))

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return answer(request, _of_validation(request, error))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        kind = BY_STATUS.get(error.status_code, "bad-request" if error.status_code < 500 else "internal")
        detail, headers = str(error.detail), dict(error.headers or {})
        if error.status_code == 404:
            detail = "There is nothing at this path."
        if error.status_code == 405:
            headers["Allow"] = ", ".join(_methods_at(request))
            detail = f"This path has {headers['Allow']}, and not {request.method}."
        return answer(request, Problem(kind, detail, headers))

    @app.exception_handler(RotoscopeError)
    async def _failed(request: Request, error: RotoscopeError) -> JSONResponse:
        log.exception("%s %s failed", request.method, request.url.path)
        return answer(request, Problem("unavailable", str(error), {"Retry-After": "10"}))

    @app.exception_handler(Exception)
    async def _internal(request: Request, error: Exception) -> JSONResponse:
        return answer(request, Problem("internal", "Something broke here; the log has it under the request's id."))


def _methods_at(request: Request) -> list[str]:
    """Every method that the path of a request has."""
    scope = {**request.scope, "method": ""}
    matched = (route for route in request.app.routes if route.matches(scope)[0] is not Match.NONE)
    return sorted({method for route in matched for method in getattr(route, "methods", None) or ()})


def documented(*kinds: str) -> dict[int | str, dict[str, Any]]:
    """These problems as FastAPI's `responses`."""
    by_status: dict[int | str, list[str]] = {}
    for name in kinds:
        by_status.setdefault(KINDS[name].status, []).append(name)
    return {status: _described(names) for status, names in by_status.items()}


def _described(names: list[str]) -> dict[str, Any]:
    example = {
        "type": f"{PREFIX}/problems/{names[0]}",
        "title": KINDS[names[0]].title,
        "status": KINDS[names[0]].status,
        "detail": KINDS[names[0]].advice,
        "instance": f"{PREFIX}/rotoscopes",
        "request_id": "0b6f4c9e7a5d4f0f9f3f6a2f1c8e5d47",
        "errors": [],
    }
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    return {
        "description": " Or: ".join(f"{KINDS[name].title}. {KINDS[name].advice}" for name in names),
        "content": {MEDIA_TYPE: {"schema": schema, "example": example}},
    }


def _description(request: Request, parameter: str) -> str:
    """What a parameter of a request's route is for."""
    dependant = request.scope["route"].dependant
    known = (*dependant.path_params, *dependant.query_params, *dependant.header_params)
    return next((one.field_info.description or "" for one in known if one.alias == parameter), "")


def _of_validation(request: Request, error: RequestValidationError) -> Problem:
    body = getattr(request.scope.get("route"), "body_field", None)
    kind = body and body.field_info.annotation
    faults: list[Fault] = []
    for one in error.errors():
        where, *path = one["loc"]
        if one["type"] == "json_invalid":
            return Problem("bad-request", "The body is not JSON; check its commas, quotes and brackets.")
        pointer = "/" + "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in path)
        name = pointer if where == "body" else str(path[-1] if path else where)
        if where == "body" and isinstance(kind, type) and issubclass(kind, BaseModel):
            [detail] = sentences([{**one, "loc": path}], kind)
        elif one["type"] == "string_pattern_mismatch":
            detail = f"{name} cannot be {one['input']!r}. {_description(request, name)}".strip()
        else:
            detail = f"{name}: {one['msg']}."
        if detail not in [fault.detail for fault in faults]:
            faults.append(Fault(pointer=name, detail=detail))
    more = f" And {len(faults) - SAID} more." if len(faults) > SAID else ""
    return Problem("invalid", " ".join(fault.detail for fault in faults[:SAID]) + more, errors=faults)
