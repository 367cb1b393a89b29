"""Pictures that people send: to make filters of, by the SHA-256 of their bytes."""

import hashlib

from rotoscope.errors import Refused
from rotoscope.media.still import BadPicture, decode_picture
from rotoscope.store import keys
from rotoscope.store.base import Store

SCHEME = "picture://"


def keep_picture(store: Store, content: bytes, holder: str) -> str:
    """Keep a PNG, JPEG or WebP; gives its SHA-256. Raises Refused for what is no such picture, or too large a one."""
    try:
        decode_picture(content)
    except BadPicture as bad:
        raise Refused(f"This picture cannot be used: {bad}. Send a PNG, JPEG or WebP.") from None
    sha256 = hashlib.sha256(content).hexdigest()
    with store.workspace("tmp") as folder:
        path = folder / "picture"
        path.write_bytes(content)
        store.put(keys.picture(sha256, "picture"), path)
    store.put_json(keys.held(keys.picture(sha256), holder), {})
    return sha256
