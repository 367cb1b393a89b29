"""Sheet: a contact sheet from a source to its pictures and its page in the store."""

import logging

from rotoscope.fetch import Fetch
from rotoscope.fetch import fetch as fetch_url
from rotoscope.media.video import Video
from rotoscope.request import Request
from rotoscope.sheet import PAGE, SHEET, SheetRequest, paint_sheet
from rotoscope.steps.split import arrive
from rotoscope.store import keys
from rotoscope.store.base import Store
from rotoscope.store.filters import at_hand

log = logging.getLogger(__name__)


def make_sheet(
    request: SheetRequest, store: Store, run_id: str, threads: int, fetch: Fetch = fetch_url
) -> dict[str, str]:
    """Paint a contact sheet, unless the store has it; gives the keys of its page and of its one labelled picture.

    Each picture is in the store as soon as it is painted, the page at the end. Raises Refused for what cannot be used.
    """
    with store.workspace(keys.run(run_id)) as folder:
        source, packets = arrive(Request.parse({"source": request.source}), store, folder, fetch)
        indices = request.frames(source)
        digest = _digest(request, source.video, indices)
        made = {"page": keys.sheet(digest, PAGE), "sheet": keys.sheet(digest, SHEET)}
        if store.exists(made["page"]):
            log.info("This contact sheet was painted before; nothing to do")
            return made
        pictures, scratch = folder / "sheet", folder / "picked"
        pictures.mkdir()
        scratch.mkdir()
        with at_hand(request, store) as ready:
            for path in paint_sheet(ready, source, packets, indices, pictures, scratch, threads):
                store.put(keys.sheet(digest, path.name), path)
                log.info("%s painted", path.stem)
    return made


def _digest(request: SheetRequest, video: Video, indices: list[int]) -> str:
    """Names a contact sheet: everything that its pictures and its page depend on."""
    filters = [request.find(name).fingerprint() for name in request.names]
    how = request.model_dump(include={"size", "strength", "keep_colours"})
    return keys.digest({"video": video.sha256, "name": video.name, "frames": indices, "filters": filters, **how})
