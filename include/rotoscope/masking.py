"""Masking: a request's mask at hand, and where its frames are painted for it."""

from pathlib import Path

from rotoscope.masks import Edge, MaskFile, Where, box_share, everywhere, in_file
from rotoscope.media.video import Video
from rotoscope.request import Request


def where_of(request: Request, video: Video, file: MaskFile | None, run: range, scratch: Path) -> Where | None:
    """Where a run of frames is painted; None for everywhere, or if nothing paints. file: the mask that is no box."""
    if not request.paints:
        return None
    size, edge = request.painted_size(video.upright_size), Edge(request.mask_feather, request.mask_invert)
    if request.mask_box:
        return everywhere(edge.softened(box_share(request.mask_box, size)))
    return in_file(file, edge, run, size, scratch) if file else None
