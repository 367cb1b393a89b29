"""A chunk's pictures at the endpoint, on their way there and back: one directory, whose names say which frame."""

from dataclasses import dataclass

import numpy as np

from rotoscope.algorithmia.data import DataApi
from rotoscope.algorithmia.errors import BadAnswer, NotFound
from rotoscope.engines import Frame
from rotoscope.errors import Refused
from rotoscope.media.still import BadPicture, Kind, decode_picture, encode_picture
from rotoscope.store import keys
from rotoscope.store.base import Store

SUFFIX = "-painted"
EXTENSIONS: dict[Kind, str] = {"png": "png", "jpeg": "jpg"}


@dataclass(frozen=True)
class Desk:
    """The directory `uri` at an endpoint, for pictures of one kind."""

    data: DataApi
    uri: str
    pictures: Kind

    def open(self) -> None:
        """Make the directory, unless it is there."""
        self.data.make_directory(self.uri)

    def painted(self) -> set[int]:
        """The frames that lie painted in it."""
        try:
            names = [entry.name for entry in self.data.list(self.uri) if not entry.is_directory]
        except NotFound:
            return set()
        ending = f"{SUFFIX}.{EXTENSIONS[self.pictures]}"
        return {int(name.removesuffix(ending)) for name in names if name.endswith(ending)}

    def bring(self, index: int, frame: Frame) -> int:
        """Put a frame there; gives the bytes of its picture. Raises Refused for one of more bits than JPEG holds."""
        if self.pictures == "jpeg" and frame.dtype != np.uint8:
            raise Refused("This filter gets JPEG pictures, of 8 bits; ask for an 8-bit pixel_format, such as yuv420p.")
        content = encode_picture(frame, self.pictures)
        self.data.write(self.source(index), content)
        return len(content)

    def fetch(self, index: int, like: Frame) -> tuple[bytes, Frame]:
        """A painted frame, as bytes and as pixels. Raises BadAnswer if it is no picture, or not one like the frame."""
        try:
            content = self.data.read(self.target(index))
            painted = decode_picture(content)
        except NotFound:
            raise BadAnswer(f"The endpoint says that frame {index} is painted, but its picture is not there.") from None
        except BadPicture as error:
            raise BadAnswer(f"What the endpoint painted of frame {index} is no picture: {error}.") from None
        check(index, painted, like)
        return content, painted

    def clear(self) -> None:
        """Delete the directory with all that is in it."""
        self.data.delete_directory(self.uri)

    def source(self, index: int) -> str:
        """Where a frame lies."""
        return f"{self.uri}/{index:08}.{EXTENSIONS[self.pictures]}"

    def target(self, index: int) -> str:
        """Where it shall lie when it is painted."""
        return f"{self.uri}/{index:08}{SUFFIX}.{EXTENSIONS[self.pictures]}"


def run_prefix(store: Store, run_id: str) -> str:
    """How the names of all directories of a run begin; another installation's run of the same id has another one."""
    return f"rotoscope-{keys.digest([store.address('runs'), run_id])[:12]}-"


def check(index: int, painted: Frame, like: Frame) -> None:
    """Raises BadAnswer if a painted frame is not of the size and the depth of the one that was sent."""
    if painted.shape[:2] != like.shape[:2]:
        wanted, found = (f"{one.shape[1]}x{one.shape[0]}" for one in (like, painted))
        raise BadAnswer(f"The endpoint painted frame {index} at {found} instead of {wanted}.")
    if painted.dtype != like.dtype:
        raise BadAnswer(
            f"The endpoint painted frame {index} with {painted.dtype.itemsize * 8} bits a colour instead of "
            f"{like.dtype.itemsize * 8}; ask for an 8-bit pixel_format, such as yuv420p."
        )
