"""Painted frames that came from elsewhere, kept in our own store until their chunk is whole: none is paid for twice."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from rotoscope.algorithmia.errors import BadAnswer
from rotoscope.engines import Frame
from rotoscope.media.still import BadPicture, decode_picture
from rotoscope.store import keys
from rotoscope.store.base import Store

AT_ONCE = 8


@dataclass(frozen=True)
class PaidFrames:
    """The paid frames of one painting, which `digest` names whatever the request mixes them with."""

    store: Store
    digest: str

    def there(self) -> set[int]:
        """The frames that are here."""
        return {int(key.rpartition("/")[2]) for key in self.store.below(keys.paid(self.digest))}

    def keep(self, index: int, content: bytes) -> None:
        """Keep a frame, as the picture that came."""
        with self.store.workspace("tmp") as folder:
            path = folder / "picture"
            path.write_bytes(content)
            self.store.put(keys.paid(self.digest, index), path)

    def get(self, index: int) -> Frame:
        """A frame that is here. Raises BadAnswer if its picture is damaged."""
        with self.store.local(keys.paid(self.digest, index)) as path:
            try:
                return decode_picture(path.read_bytes())
            except BadPicture:
                raise BadAnswer(f"Frame {index} is damaged in the store.") from None

    def forget(self, indices: Iterable[int]) -> None:
        """Let go of frames whose chunk is whole."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda index: self.store.delete(keys.paid(self.digest, index)), indices))
