"""Masking: a request's mask at hand, and where its frames are painted for it."""

from pathlib import Path

from rotoscope.fetch import Fetch, name_of
from rotoscope.masks import Edge, MaskFile, Where, box_share, everywhere, in_file
from rotoscope.media.probe import file_facts
from rotoscope.media.video import Video
from rotoscope.request import Request


def mask_file(request: Request, folder: Path, fetch: Fetch) -> tuple[Path, str]:
    """The file of the request's mask, fetched into a folder if it is a URL, and what users call it."""
    place = Request.parse({"source": request.mask})
    if place.source_url is None:
        file_facts(place.source_path)
        return place.source_path, place.source_path.name
    fetch(place.source_url, folder / "mask")
    return folder / "mask", name_of(place.source_url)


def where_of(request: Request, video: Video, file: MaskFile | None, run: range, scratch: Path) -> Where | None:
    """Where a run of frames is painted, None for everywhere. file: the mask, unless it is a box."""
    size, edge = request.painted_size(video.upright_size), Edge(request.mask_feather, request.mask_invert)
    if request.mask_box:
        return everywhere(edge.softened(box_share(request.mask_box, size)))
    return in_file(file, edge, run, size, scratch) if file else None
