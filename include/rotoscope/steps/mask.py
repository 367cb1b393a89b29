"""Mask: a request's mask, from where a user has it into the store, and from there to whoever paints."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rotoscope.errors import Refused
from rotoscope.fetch import Fetch
from rotoscope.masking import where_of
from rotoscope.masks import Where, read_mask
from rotoscope.media.probe import file_sha256
from rotoscope.media.video import Video
from rotoscope.places import file_at
from rotoscope.request import Request
from rotoscope.store import keys
from rotoscope.store.base import Store

STORED = re.compile(r"mask://([0-9a-f]{64})")
"""A mask in the store, by the SHA-256 of its file."""


def bring_mask(request: Request, video: Video, store: Store, folder: Path, fetch: Fetch) -> tuple[Request, Path | None]:
    """The request with its mask by content, and the mask's file in the folder, to be kept; None if there is none.

    Raises Refused for a mask that cannot be laid over the video.
    """
    if not request.mask or request.mask_box:
        return request, None
    stored = STORED.fullmatch(request.mask)
    if stored:
        if not store.exists(keys.mask(stored[1])):
            raise Refused(f"There is no mask {stored[1]} in the store; give its path or its URL.")
        return request, None
    path, name = file_at(request.mask, folder, fetch)
    scratch, copy = folder / "mask-scratch", folder / "mask-copy"
    scratch.mkdir()
    read_mask(path, name, video, scratch)
    shutil.copyfile(path, copy)
    return request.model_copy(update={"mask": f"mask://{file_sha256(copy)}"}), copy


def keep_mask(request: Request, store: Store, path: Path | None) -> None:
    """Put a mask that was brought into the store."""
    stored = STORED.fullmatch(request.mask or "")
    if path is not None and stored:
        store.put(keys.mask(stored[1]), path)


@contextmanager
def masked(request: Request, store: Store, video: Video, run: range, run_id: str) -> Iterator[Where | None]:
    """Where a run of frames is painted, for the length of the block; None for everywhere."""
    stored = STORED.fullmatch(request.mask or "")
    if not stored or not request.paints:
        yield where_of(request, video, None, run, Path())
        return
    with store.local(keys.mask(stored[1])) as path, store.workspace(keys.run(run_id)) as scratch:
        yield where_of(request, video, read_mask(path, path.name, video, scratch), run, scratch)
