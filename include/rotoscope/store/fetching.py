"""Fetching from the store: what lies there has a URI, as what lies elsewhere has."""

import shutil
from pathlib import Path

from rotoscope.errors import Refused
from rotoscope.fetch import Fetch
from rotoscope.media.probe import file_sha256
from rotoscope.store import keys
from rotoscope.store.base import Store
from rotoscope.store.pictures import SCHEME as PICTURE

KEY = "store://"
"""Begins the URI of any object, which goes on with its key."""


def fetching(store: Store, fetch: Fetch) -> Fetch:
    """Brings what `fetch` brings, and `picture://SHA256` and `store://KEY`."""

    def bring(uri: str, target: Path) -> str:
        if not uri.startswith((PICTURE, KEY)):
            return fetch(uri, target)
        try:
            with store.local(_key(uri)) as path:
                shutil.copyfile(path, target)
        except (KeyError, ValueError):
            raise Refused(f"{uri} is not in the store; put it there first.") from None
        return file_sha256(target)

    return bring


def _key(uri: str) -> str:
    return keys.picture(uri.removeprefix(PICTURE), "picture") if uri.startswith(PICTURE) else uri.removeprefix(KEY)
