"""Documents: what the API says of itself, open to everybody."""

import html
from pathlib import Path as File
from typing import Annotated, Any

import fastapi_swagger
import yaml
from fastapi import APIRouter, Path, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response

from rotoscope.access import plans
from rotoscope_api import openapi
from rotoscope_api.plugin import PREFIX
from rotoscope_api.problems import KINDS, Problem, documented

router = APIRouter(tags=["Documents"])
FOLDER = File(__file__).resolve().parents[3] / "include" / "api"
ASSETS = File(fastapi_swagger.__file__).parent / "resources"
PAGE = File(__file__).resolve().parents[1] / "page.html"
JSON: dict[int | str, dict[str, Any]] = {
    200: {"description": "The document.", "content": {"application/json": {"schema": {"type": "object"}}}}
}

YAML: dict[int | str, dict[str, Any]] = {
    200: {"description": "The document.", "content": {"application/yaml": {"schema": {"type": "object"}}}}
}


def _files(*kinds: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"description": "The file.", "content": {kind: {"schema": {"type": "string"}} for kind in kinds}}}


def _text(kind: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"description": "The document.", "content": {kind: {"schema": {"type": "string"}}}}}


@router.get("/openapi.json", summary="Get OpenAPI Document", responses=JSON, response_class=JSONResponse)
async def get_openapi_json(request: Request) -> Response:
    """The API in OpenAPI 3.1, as JSON."""
    return JSONResponse(openapi.document(request.app))


@router.get("/openapi.yaml", summary="Get OpenAPI YAML", responses=YAML, response_class=Response)
async def get_openapi_yaml(request: Request) -> Response:
    """The API in OpenAPI 3.1, as YAML."""
    return Response(as_yaml(openapi.document(request.app)), media_type="application/yaml")


@router.get("/apis.json", summary="Get APIs.json", responses=JSON, response_class=JSONResponse)
async def get_apis_json(request: Request) -> Response:
    """The index of everything about this API, for machines (APIs.json 0.19)."""
    return JSONResponse(apis_json(str(request.base_url)))


@router.get("/plans", summary="List Plans", responses=JSON, response_class=JSONResponse)
async def list_plans() -> Response:
    """What each plan allows and costs, in the schema of API Commons."""
    return JSONResponse({"plans": [plan.model_dump() for plan in plans.plans().values()]})


@router.get("/rate-limits", summary="Get Rate Limits", responses=JSON, response_class=JSONResponse)
async def get_rate_limits() -> Response:
    """How many requests each plan may send, and how that is told."""
    limits = [
        {"plan": plan.id, "metric": "requests", "limit": plan.limit("requests"), "time_frame": "minute"}
        for plan in plans.plans().values()
    ]
    headers = {
        "RateLimit-Policy": "The limit (q) of a window of w seconds.",
        "RateLimit": "What remains (r), and in how many seconds (t) there is more.",
        "Retry-After": "With 429: seconds to wait.",
    }
    return JSONResponse({"counted": "for each tenant, over a moving minute", "limits": limits, "headers": headers})


@router.get("/change-log", summary="Get Change Log", responses=_text("text/markdown"), response_class=Response)
async def get_change_log() -> Response:
    """What changed with each version, as Markdown."""
    return Response((FOLDER / "change-log.md").read_text(), media_type="text/markdown; charset=utf-8")


@router.get("/terms", summary="Get Terms", responses=_text("text/markdown"), response_class=Response)
async def get_terms() -> Response:
    """On which terms this is offered, as Markdown."""
    return Response((FOLDER / "terms.md").read_text(), media_type="text/markdown; charset=utf-8")


@router.get("/postman-collection.json", summary="Get Postman Collection", responses=JSON, response_class=JSONResponse)
async def get_postman_collection() -> Response:
    """Every call as a Postman collection, made of the OpenAPI document."""
    return FileResponse(FOLDER / "postman-collection.json", media_type="application/json")


@router.get("/reference", summary="Get Reference", responses=_text("text/html"), response_class=HTMLResponse)
async def get_reference() -> Response:
    """The reference as a page on which calls can be tried out."""
    return _page("Rotoscope API", REFERENCE)


@router.get(
    "/reference-files/{name}",
    summary="Get Reference File",
    response_class=Response,
    responses={**_files("text/javascript", "text/css", "image/png"), **documented("not-found")},
)
async def get_reference_file(
    name: Annotated[str, Path(pattern=r"^[a-z0-9.-]+\.(js|css|png)$", max_length=60, examples=["swagger-ui.css"])],
) -> Response:
    """A script or style of the reference's page."""
    path = ASSETS / name
    if not path.is_file():
        raise Problem("not-found", f"The reference has no file {name}.")
    return FileResponse(path, headers={"Cache-Control": "public, max-age=86400"})


@router.get("/problems", summary="List Problems", responses=_text("text/html"), response_class=HTMLResponse)
async def list_problems() -> Response:
    """Every kind of problem, as a page."""
    rows = "".join(
        f'<tr><td>{kind.status}</td><td><a href="{PREFIX}/problems/{name}">{kind.title}</a></td>'
        f"<td>{html.escape(kind.advice)}</td></tr>"
        for name, kind in KINDS.items()
    )
    return _page("Problems", f"<h1>Problems</h1><table>{rows}</table>")


@router.get(
    "/problems/{name}",
    summary="Get Problem",
    response_class=HTMLResponse,
    responses={**_text("text/html"), **documented("not-found")},
)
async def get_problem(name: Annotated[str, Path(max_length=60, examples=["not-found"])]) -> Response:
    """What a kind of problem means, and what to do about it: where the `type` of a problem document leads."""
    kind = KINDS.get(name)
    if kind is None:
        raise Problem("not-found", f"There is no kind of problem {name}.")
    body = (
        f"<h1>{kind.title}</h1><p>{html.escape(kind.advice)}</p><p>Its status is {kind.status}.</p>"
        f'<p><a href="{PREFIX}/problems">All problems</a></p>'
    )
    return _page(kind.title, body)


def as_yaml(document: dict[str, Any]) -> str:
    """A document as YAML, in its own order."""
    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
    return text


def apis_json(base: str) -> dict[str, Any]:
    """The index. base: the address of the API, with a slash at its end."""
    links = {
        "OpenAPI": "openapi.json",
        "Documentation": "reference",
        "Plans": "plans",
        "RateLimits": "rate-limits",
        "ChangeLog": "change-log",
        "TermsOfService": "terms",
        "PostmanCollection": "postman-collection.json",
        "StatusPage": "status",
        "ProblemTypes": "problems",
    }
    return {
        "aid": "rotoscope",
        "name": "Rotoscope",
        "description": openapi.INFO["summary"],
        "url": f"{base}apis.json",
        "created": "2026-11-25",
        "modified": "2026-11-25",
        "specificationVersion": "0.19",
        "tags": ["Video", "Machine Learning", "Style Transfer"],
        "apis": [
            {
                "aid": "rotoscope:rotoscope-api",
                "name": openapi.INFO["title"],
                "description": openapi.DESCRIPTION,
                "version": openapi.VERSION,
                "humanURL": f"{base}reference",
                "baseURL": base.rstrip("/"),
                "tags": list(openapi.TAGS),
                "properties": [{"type": kind, "url": f"{base}{place}"} for kind, place in links.items()],
            }
        ],
        "maintainers": [{"FN": openapi.INFO["contact"]["name"]}],
    }


REFERENCE = f"""<link rel="stylesheet" href="{PREFIX}/reference-files/swagger-ui.css">
<div id="reference" data-document="{PREFIX}/openapi.json"></div>
<script src="{PREFIX}/reference-files/swagger-ui-bundle.js"></script>
<script>SwaggerUIBundle({{
  url: document.getElementById("reference").dataset.document, domNode: document.getElementById("reference"),
  deepLinking: true, defaultModelsExpandDepth: 0, docExpansion: "list", tryItOutEnabled: false,
}});</script>"""


def _page(title: str, body: str) -> Response:
    return HTMLResponse(PAGE.read_text().replace("{title}", html.escape(title)).replace("{body}", body))
