"""Places: what a user names by a path or a URL, as a file."""

from pathlib import Path

from rotoscope.errors import Refused
from rotoscope.fetch import Fetch, name_of
from rotoscope.request import Request


def file_at(place: str, folder: Path, fetch: Fetch) -> tuple[Path, str]:
    """The file, or folder, at a path as it is, or what is at a URL, fetched into a folder; and what users call it.

    Raises Refused for a video of the store, and for a URL that cannot be fetched.
    """
    request = Request.parse({"source": place})
    url = request.source_url
    if request.video is not None:
        raise Refused(f"{place} is a video of the store; give a path or a URL.")
    if url is None:
        return request.source_path, request.source_path.name
    path = folder / f"fetched-{len(list(folder.iterdir()))}"
    fetch(url, path)
    return path, name_of(url)
