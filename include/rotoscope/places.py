"""Places: what a user names by a path or a URL, as a file to read or to write."""

from pathlib import Path

from rotoscope.errors import Refused
from rotoscope.fetch import Fetch, name_of
from rotoscope.request import Request


def check_target(path: Path, example: str = "painted.mp4") -> None:
    """Raises Refused if no file can be written at a path. example: a name for one."""
    if path.is_dir():
        raise Refused(f"{path} is a folder; name a file in it, such as {path / example}.")
    if not path.parent.is_dir():
        raise Refused(f"There is no folder {path.parent}; make it first, or write somewhere else.")
    if path.exists() and not path.is_file():
        raise Refused(f"{path} is not a file that can be written over; choose another name.")


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
