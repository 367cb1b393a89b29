"""Register: bring a source into the store, to be painted later, and often."""

import logging
import shutil
from fractions import Fraction
from pathlib import Path

from rotoscope.errors import Refused
from rotoscope.fetch import Fetch
from rotoscope.media.source import Source, open_source
from rotoscope.request import Request
from rotoscope.steps.frames import assembled
from rotoscope.steps.split import arrive, keep_source
from rotoscope.store import keys
from rotoscope.store.base import Store
from rotoscope.store.uploads import CONTENT

log = logging.getLogger(__name__)
ABOUT = "about.json"
INCOMING = "incoming://"
"""Begins the source of a registration that the store knows more of: a URL that may be a secret, or an upload."""


def register(store: Store, source: str, run_id: str, fetch: Fetch) -> str:
    """Bring a source into the store, unless it is there; gives its SHA-256.

    source: a path or a URL, or `incoming://RUN`, what the store's `incoming/RUN/about.json` says: its name, its url or
    the set of frames that it is made of (without either, the bytes were uploaded), and bytes and sha256 to verify.
    It then has the SHA-256 of the video that came of it, too, as `video`.
    Raises Refused if it is no video, or another one than was promised.
    """
    with store.workspace(keys.run(run_id)) as folder:
        if source.startswith(INCOMING):
            found = _incoming(store, source.removeprefix(INCOMING), folder, fetch)
        else:
            found, _ = arrive(Request.parse({"source": source}), store, folder, fetch)
        sha256 = found.video.sha256
        store.put_json(keys.held(keys.video(sha256), run_id), {"name": found.video.name})
        keep_source(store, found)
    log.info("%s is registered as video://%s", found.video.name, sha256)
    return sha256


def _incoming(store: Store, awaited: str, folder: Path, fetch: Fetch) -> Source:
    try:
        about = store.get_json(keys.incoming(awaited, ABOUT))
    except KeyError:
        raise Refused(f"Nothing is known of {INCOMING}{awaited}; ask for the video again.") from None
    copy = folder / "source"
    if about.get("frames"):
        assembled(store, about["frames"], Fraction(about["fps"]) if about.get("fps") else None, copy, folder)
    elif about.get("url"):
        fetch(about["url"], copy)
    else:
        with store.local(keys.incoming(awaited, CONTENT)) as path:
            shutil.copyfile(path, copy)
    if about.get("bytes") not in (None, copy.stat().st_size):
        raise Refused(f"{about['name']} has {copy.stat().st_size} bytes and not {about['bytes']}; send it again.")
    source, _ = open_source(copy, folder, name=about["name"])
    if about.get("sha256") not in (None, source.video.sha256):
        raise Refused(f"{about['name']} has another SHA-256 than was promised; send it again.")
    store.replace_json(keys.incoming(awaited, ABOUT), {**about, "video": source.video.sha256})
    return source
