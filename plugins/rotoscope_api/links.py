"""Files of the store as answers: from a folder with range requests, from a bucket by a presigned link."""

import mimetypes
from pathlib import Path
from typing import Any

from fastapi.responses import FileResponse, RedirectResponse, Response

from rotoscope.store.base import Store
from rotoscope.store.s3 import S3Store
from rotoscope_api.problems import Problem, documented
from rotoscope_api.services import threaded

LINK_SECONDS = 900


def media(kinds: str, what: str, linked: bool = False) -> dict[int | str, dict[str, Any]]:
    """A file of one of these media types as FastAPI's `responses`. linked: it may be a redirect to a link."""
    schema = {"schema": {"type": "string", "format": "binary"}}
    content = dict.fromkeys(kinds.split(), schema)
    there: dict[int | str, dict[str, Any]] = {200: {"description": what, "content": content}}
    if linked:
        there[307] = {"description": f"{what} At the link in `Location`, for 15 minutes: from a store in S3."}
    return {**there, **documented("not-found", "conflict")}


async def file_answer(store: Store, key: str, filename: str | None = None) -> Response:
    """An object as an answer. Raises Problem if it is not there (any more)."""
    if not await threaded(store.exists, key):
        raise Problem("not-found", "This is not there yet, or not any more.")
    kind = mimetypes.guess_type(filename or key)[0] or "application/octet-stream"
    if isinstance(store, S3Store):
        link = await threaded(store.download_link, key, LINK_SECONDS, filename, kind)
        return RedirectResponse(link, 307, {"Cache-Control": "no-store"})
    return FileResponse(Path(store.address(key)), media_type=kind, filename=filename, content_disposition_type="inline")
