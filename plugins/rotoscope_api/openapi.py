"""The document that describes the API, OpenAPI 3.1: what FastAPI finds out, with problems and examples everywhere."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from rotoscope_api import examples
from rotoscope_api.plugin import PREFIX
from rotoscope_api.problems import MEDIA_TYPE, ProblemDocument, documented

VERSION = "1.0.0"
DESCRIPTION = """Every step of a rotoscope as a call of its own: bring a video in, look at it under all filters, ask
what painting it would take, have it painted, watch that, and get the result with its records.

Long work is answered with 202 and `Location`; `Prefer: wait=n` waits for it. A POST that makes something takes an
`Idempotency-Key`. Errors are problem documents (RFC 9457). Lists have opaque cursors. Times are RFC 3339 in UTC,
durations seconds, fractions text such as "30000/1001"."""
TAGS = {
    "Videos": "Bring videos in, by URL or upload, and see what they are.",
    "Rotoscopes": "Have videos painted, watch it, and get what came out.",
    "Chunks": "The runs of frames that a rotoscope is painted in.",
    "Estimates": "What a rotoscope would take.",
    "Filters": "The textures: choose one, make one of a picture, train one.",
    "Pictures": "Single pictures: to make filters of, or to be painted at once.",
    "Frames": "The steps on their own: separate a video into frames, look at them, paint them.",
    "Contact Sheets": "A video's frames under many filters.",
    "Batches": "Many videos in many ways, with one report.",
    "Schedules": "Batches that run by themselves: by the clock, or when videos arrive. For Airflow's own users.",
    "Presets": "Named sets of options, and output formats.",
    "Webhooks": "Have your own server told of what becomes of rotoscopes.",
    "Keys": "What partners' machines show who they are with.",
    "Usage": "What was taken, and what is left.",
    "Status": "Whether the parts are well.",
    "Documents": "What the API says of itself. Open to everybody.",
}
INFO: dict[str, Any] = {
    "title": "Rotoscope API",
    "version": VERSION,
    "summary": "Video in, painted video out.",
    "description": DESCRIPTION,
    "terms_of_service": "https://opensource.org/license/mit",
    "contact": {"name": "Whoever runs this server"},
    "license_info": {"name": "MIT", "identifier": "MIT"},
}
METHODS = ("get", "put", "post", "delete", "patch")


def operation_id(route: APIRoute) -> str:
    """The name of its function."""
    return route.name


def document(app: FastAPI) -> dict[str, Any]:
    """The whole document, made once."""
    if app.openapi_schema is None:
        made = get_openapi(routes=app.routes, tags=_tags(), servers=[{"url": PREFIX}], openapi_version="3.1.0", **INFO)
        _complete(made)
        app.openapi_schema = made
    return app.openapi_schema


def operations(made: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """(path, method, operation) of a document."""
    return [
        (path, method, item[method]) for path, item in made["paths"].items() for method in METHODS if method in item
    ]


def _tags() -> list[dict[str, str]]:
    return [{"name": name, "description": text} for name, text in TAGS.items()]


def _complete(made: dict[str, Any]) -> None:
    schemas = made["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    problem = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"))
    schemas["ProblemDocument"] = problem
    for _, _, operation in operations(made):
        _tell_scopes(operation)
        _add_problems(operation)
        _add_examples(operation)
    shared: dict[str, Any] = {}
    made["components"]["responses"] = shared
    for _, _, operation in operations(made):
        operation["responses"] = {
            status: _shared(response, shared) for status, response in sorted(operation["responses"].items())
        }


def _shared(response: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    """A problem as a reference to where it is described once."""
    if MEDIA_TYPE not in response.get("content", {}):
        return response
    name = "Or".join(part.partition(".")[0].title().replace(" ", "") for part in response["description"].split(" Or: "))
    shared[name] = response
    return {"$ref": f"#/components/responses/{name}"}


def _tell_scopes(operation: dict[str, Any]) -> None:
    """Scopes in words and in `x-scopes`: OpenAPI has a place for them only where OAuth gives them out."""
    scopes = [scope for one in operation.get("security", []) for scope in one.get("bearer", [])]
    if scopes:
        operation["security"] = [{"bearer": []}]
        operation["x-scopes"] = scopes
        operation["description"] += f"\n\nNeeds the scope `{'`, `'.join(scopes)}`."


def _add_problems(operation: dict[str, Any]) -> None:
    """What can go wrong with any operation of this form."""
    kinds = ["internal"]
    if operation.get("security"):
        kinds += ["not-authenticated", "forbidden", "too-many-requests", "unavailable"]
    if "requestBody" in operation:
        kinds += ["bad-request", "too-large", "unsupported-media-type"]
    names = [parameter["name"] for parameter in operation.get("parameters", [])]
    if "requestBody" in operation or names:
        kinds.append("invalid")
    own = operation["responses"]
    own.pop("422", None)
    for status, response in documented(*dict.fromkeys(kinds)).items():
        own.setdefault(str(status), response)


def _add_examples(operation: dict[str, Any]) -> None:
    """An example for each parameter, and for each answer that is JSON."""
    for parameter in operation.get("parameters", []):
        given = parameter["schema"].pop("examples", None)
        parameter["example"] = given[0] if given else examples.PARAMETERS[parameter["name"]]
    for status, response in operation["responses"].items():
        content = response.get("content", {}).get("application/json")
        if (not status.startswith("2") and status != "503") or content is None:
            continue
        name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
        if name.startswith("Listed_"):
            inner = name.removeprefix("Listed_").removesuffix("_")
            content["example"] = {"items": [examples.SCHEMAS[inner]], "next_cursor": None}
        elif name in examples.SCHEMAS:
            content["example"] = examples.SCHEMAS[name]
        elif operation["operationId"] in examples.OPERATIONS:
            content["example"] = examples.OPERATIONS[operation["operationId"]]
