"""The routes of the data API: files and directories by GET, HEAD, PUT, POST, PATCH and DELETE."""

import mimetypes
import tempfile
from collections.abc import Iterator
from typing import IO, Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response, StreamingResponse

from algorithmia_server.auth import caller
from algorithmia_server.bodies import json_object
from algorithmia_server.errors import InputError, NotFound
from algorithmia_server.files import Files, Place
from algorithmia_server.settings import settings

BLOCK = 2**20
IN_MEMORY = 2**20
"""Bytes of an upload that are held before they go to a file."""

router = APIRouter()


def data_place(path: str, user: Annotated[str, Depends(caller)]) -> tuple[Files, str]:
    """What a path under /v1/data names."""
    return Files(settings(), user), path


def connector_place(connector: str, path: str, user: Annotated[str, Depends(caller)]) -> tuple[Files, str]:
    """What a path under /v1/connector names."""
    return Files(settings(), user), f"{connector}://{path}"


def _add(prefix: str, named: Any) -> None:
    """The same routes for collections and for connectors."""
    where = Annotated[tuple[Files, str], Depends(named)]

    @router.get(prefix)
    def read(where: where, marker: str | None = None, acl: bool = False) -> Response:
        files, uri = where
        place = files.at(uri)
        if _kind(place) == "directory":
            return _listing(place, marker, acl)
        file, size = place.tree.open(place.path)
        headers = {"X-Data-Type": "file", "Content-Length": str(size)}
        # Clients take JSON and text for what they are only if they are called so.
        kind = mimetypes.guess_type(place.path)[0] or "application/octet-stream"
        return StreamingResponse(_blocks(file), media_type=kind, headers=headers)

    @router.head(prefix)
    def exists(where: where) -> Response:
        files, uri = where
        return Response(headers={"X-Data-Type": _kind(files.at(uri))})

    @router.put(prefix)
    async def write(where: where, request: Request) -> Response:
        files, uri = where
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as body:
            await _receive(request, body)
            written = await run_in_threadpool(files.write, uri, body)
        return JSONResponse({"result": written})

    @router.post(prefix)
    async def make(where: where, request: Request) -> Response:
        files, uri = where
        asked = await json_object(request)
        name = asked.get("name")
        if not isinstance(name, str) or "/" in name:
            raise InputError('a directory wants a name: {"name": "robots"}')
        place = files.at(f"{uri.rstrip('/')}/{name}" if uri.strip("/") else name, writing=True)
        if place.directory is False:
            raise InputError("collections hold files, and no directories")
        if place.tree.kind(place.path):
            raise InputError(f"directory {place.uri} already exists")
        place.tree.make(place.path)
        if place.access and "acl" in asked:
            place.access.set((asked["acl"] or {}).get("read"))
        return JSONResponse({"result": place.uri})

    @router.patch(prefix)
    async def set_access(where: where, request: Request) -> Response:
        files, uri = where
        asked = await json_object(request)
        place = files.at(uri, writing=True)
        if _kind(place) != "directory" or place.access is None:
            raise InputError(f"{place.uri} has no access list of its own")
        place.access.set((asked.get("acl") or {}).get("read"))
        return Response()

    @router.delete(prefix)
    def delete(where: where, force: bool = False) -> Response:
        files, uri = where
        place = files.at(uri, writing=True)
        if _kind(place) == "file":
            place.tree.delete(place.path)
            return JSONResponse({"result": {"deleted": 1}})
        if not place.path:
            raise InputError(f"{place.uri} cannot be deleted")
        deleted = place.tree.delete_tree(place.path, force)
        if place.access:
            place.access.forget()
        return JSONResponse({"result": {"deleted": deleted}})


_add("/v1/data/{path:path}", data_place)
_add("/v1/connector/{connector}/{path:path}", connector_place)


def _kind(place: Place) -> str:
    kind = place.tree.kind(place.path)
    if kind is None:
        raise NotFound(f"{place.uri} not found")
    return kind


def _listing(place: Place, marker: str | None, acl: bool) -> Response:
    page = place.tree.list(place.path, marker)
    said: dict[str, Any] = {}
    if page.folders:
        said["folders"] = [{"name": name} for name in page.folders]
    if page.files:
        said["files"] = [file.shown() for file in page.files]
    if acl and place.access:
        said["acl"] = {"read": place.access.read}
    if page.marker:
        said["marker"] = page.marker
    return JSONResponse(said, headers={"X-Data-Type": "directory"})


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while block := file.read(BLOCK):
            yield block


async def _receive(request: Request, body: IO[bytes]) -> None:
    most = settings().file_bytes
    size = 0
    async for block in request.stream():
        size += len(block)
        if size > most:
            raise InputError(f"the file is larger than {most} bytes", "TooLargeError")
        await run_in_threadpool(body.write, block)
    body.seek(0)
