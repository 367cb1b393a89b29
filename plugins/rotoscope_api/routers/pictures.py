"""Pictures: send one to make filters of it, or have one painted and get it back at once."""

import os
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from rotoscope.errors import Refused
from rotoscope.request import Request as Painting
from rotoscope.still_painting import paint_picture
from rotoscope.store import keys
from rotoscope.store.base import Store
from rotoscope.store.filters import at_hand
from rotoscope.store.pictures import SCHEME, keep_picture
from rotoscope_api.caller import SEPARATOR, Caller, allowed
from rotoscope_api.links import media
from rotoscope_api.paintings import own_finder
from rotoscope_api.problems import Problem, documented
from rotoscope_api.services import Services, threaded
from rotoscope_api.store import StoreDep

router = APIRouter(tags=["Pictures"])
MOST_BYTES = 32 * 2**20
Painter = Annotated[Caller, allowed("frames:write")]
Sender = Annotated[Caller, allowed("filters:write")]
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("image/jpeg", "image/png", "image/webp")
        },
    }
}


class Picture(BaseModel):
    """A picture that was sent."""

    id: str = Field(description="To be named where a picture is asked for.")
    sha256: str


@router.post(
    "/pictures",
    status_code=201,
    summary="Send Picture",
    openapi_extra=BODY,
    responses=documented("too-large"),
)
async def send_picture(request: Request, caller: Sender, store: StoreDep) -> Picture:
    """Keep a PNG, JPEG or WebP of at most 32 MiB, to make a filter of it. The same bytes are the same picture."""
    content = await _body(request)
    sha256 = await threaded(keep_picture, store, content, caller.tenant)
    return Picture(id=caller.own_prefix + sha256, sha256=sha256)


@router.post(
    "/filtered-pictures",
    summary="Filter Picture",
    response_class=Response,
    openapi_extra=BODY,
    responses={**media("image/jpeg image/png", "The painted picture."), **documented("too-large")},
)
async def filter_picture(
    request: Request,
    caller: Painter,
    store: StoreDep,
    filter: Annotated[str, Query(max_length=100, description="A filter's name.", examples=["sea-mist"])],
    strength: Annotated[float, Query(ge=0, le=1, description="From 0, the picture as it is, to 1, all paint.")] = 1.0,
    keep_colours: Annotated[bool, Query(description="Take only light and texture from the filter.")] = False,
    scale: Annotated[float, Query(ge=0.25, le=4, description="Of the texture: 2 for strokes twice as large.")] = 1.0,
    output: Annotated[Literal["jpeg", "png"], Query(description="What comes back.")] = "jpeg",
) -> Response:
    """Paint one picture and get it back at once. The first one of a filter takes seconds, the next ones less."""
    services: Services = request.app.state.services
    how = {"filter": filter, "strength": strength, "keep_colours": keep_colours, "scale": scale}
    painting = await threaded(Painting.parse, {"source": f"{SCHEME}sent", **how}, own_finder(caller, store))
    if painting.is_remote:
        raise Refused(f"The filter {filter} paints at an endpoint; have a video of one frame painted.")
    content = await _body(request)
    with at_hand(painting, store) as ready:
        painted = await services.aside(paint_picture, ready, content, output, os.cpu_count() or 1)
    return Response(painted, media_type=f"image/{output}")


def picture_source(caller: Caller, store: Store, picture_id: str) -> str:
    """Where a run finds a picture that was sent. Raises Problem if there is none, or it is somebody else's."""
    caller.check(picture_id)
    holder, _, sha256 = picture_id.rpartition(SEPARATOR)
    if not store.exists(keys.held(keys.picture(sha256 or "none"), holder or "none")):
        raise Problem("not-found", f"There is no picture {picture_id}; send it first.")
    return f"{SCHEME}{sha256}"


async def _body(request: Request) -> bytes:
    """The body, which may not be larger than pictures are. Raises Problem for a larger one."""
    content = bytearray()
    async for block in request.stream():
        content += block
        if len(content) > MOST_BYTES:
            raise Problem("too-large", f"A picture has at most {MOST_BYTES} bytes.")
    return bytes(content)
