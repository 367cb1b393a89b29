"""Create: a filter from a picture to its document and its preview in the store."""

import logging

from rotoscope.fetch import Fetch
from rotoscope.fetch import fetch as fetch_url
from rotoscope.places import file_at
from rotoscope.store import keys
from rotoscope.store.base import Store
from rotoscope.store.filters import keep
from rotoscope.style import StyleRequest, filter_of, read_picture, save_preview

log = logging.getLogger(__name__)
THREADS = 2


def create_filter(request: StyleRequest, store: Store, run_id: str, fetch: Fetch = fetch_url) -> dict[str, str]:
    """Make a filter of a picture; gives its reference, NAME@VERSION, and the keys of its document and its preview.

    The same picture under the same name is the same version. Raises Refused for what is no picture, and for a name
    that is built in.
    """
    with store.workspace(keys.run(run_id)) as folder:
        picture, sha256 = read_picture(*file_at(request.picture, folder, fetch))
        filter = keep(store, filter_of(picture, sha256, request.name, request.sentence))
        preview = keys.preview(keys.digest(filter.model_dump(mode="json")))
        if not store.exists(preview):
            save_preview(filter, picture, folder / "preview.jpg", THREADS)
            store.put(preview, folder / "preview.jpg")
    log.info("The filter %s is made", filter.reference)
    document = keys.filter(filter.name, int(filter.version))
    return {"filter": filter.reference, "document": document, "preview": preview}
