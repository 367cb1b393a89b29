"""What algorithms read: files at this server by their URI, and the web's by our own client."""

import tempfile
from pathlib import Path

from algorithmia_server.registry import Call
from rotoscope import fetch
from rotoscope.media.still import MOST_BYTES

WEB = ("http://", "https://")


def picture_bytes(uri: str, call: Call) -> bytes:
    """The bytes of a picture."""
    if not uri.lower().startswith(WEB):
        return call.files.read(uri, MOST_BYTES)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture"
        fetch.fetch(uri, path, MOST_BYTES)
        return path.read_bytes()


def video_file(uri: str, call: Call, folder: Path) -> Path:
    """A video as a file in a folder."""
    path = folder / "source"
    if uri.lower().startswith(WEB):
        fetch.fetch(uri, path)
        return path
    place = call.files.at(uri)
    file, _ = place.tree.open(place.path)
    with file, path.open("wb") as target:
        while block := file.read(2**20):
            target.write(block)
    return path
