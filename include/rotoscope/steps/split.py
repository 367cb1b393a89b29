"""Split: register the source, plan its chunks, cut a segment for each chunk that is not painted yet."""

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

from rotoscope.chunks import plan_chunks
from rotoscope.errors import Mismatch
from rotoscope.media.cut import cut
from rotoscope.media.probe import file_sha256, probe
from rotoscope.media.video import Video
from rotoscope.painting import Workshop
from rotoscope.plan import Chunk, Plan, cut_digest, make_plan, plan_digest, timeline_of
from rotoscope.request import Request
from rotoscope.store import keys
from rotoscope.store.base import Store

log = logging.getLogger(__name__)


def split(request: Request, store: Store, run_id: str, slots: int, threads: int) -> tuple[str, Plan]:
    """Prepare a request for painting; gives the key of its plan, and the plan.

    slots: filter tasks that run side by side; threads: processor threads that each of them may use.
    Raises Refused for a source or a request that cannot be used, before anything is stored.
    """
    path = request.source_path
    video, packets = probe(path)
    key = keys.plan(plan_digest(request, video))  # refuses what cannot be, before anything is stored
    register(store, path, video, keys.run(run_id))
    if not store.exists(key):
        runs = cut_into_runs(request, store, video, slots, threads)
        store.put_json(key, make_plan(request, video, packets, runs).model_dump(mode="json"))
    plan = Plan.model_validate(store.get_json(key))
    unpainted = [chunk for chunk in plan.chunks if not store.exists(keys.painted_record(chunk.digest))]
    cut_segments(store, video, unpainted, run_id)
    log.info("%s: %d frames in %d chunks, %d to paint", video.name, video.frames, len(plan.chunks), len(unpainted))
    return key, plan


def cut_into_runs(request: Request, store: Store, video: Video, slots: int, threads: int) -> list[range]:
    """How the request's frames are cut into chunks: as the first time, since no measured speed is the same twice."""
    key = keys.cut(cut_digest(request, video))
    if not store.exists(key):
        seconds = Workshop.open(request, video, threads).seconds_a_frame()
        frames = len(timeline_of(request, video).frames)
        runs = plan_chunks(frames, seconds, slots, request.chunk_frames)
        store.put_json(key, [[run.start, run.stop] for run in runs])
    return [range(*run) for run in store.get_json(key)]


def register(store: Store, path: Path, video: Video, scratch: str) -> None:
    """Keep a copy of the source and its manifest, once. Raises Mismatch if the file changes meanwhile."""
    if store.exists(keys.manifest(video.sha256)):
        return
    with store.workspace(scratch) as folder:
        copy = folder / "source"
        shutil.copyfile(path, copy)
        if file_sha256(copy) != video.sha256:
            raise Mismatch(f"{path.name} changed while it was read; wait until it is complete and ask again.")
        store.put(keys.source(video.sha256), copy)
    store.put_json(keys.manifest(video.sha256), video.model_dump(mode="json"))


def cut_segments(store: Store, video: Video, chunks: Sequence[Chunk], run_id: str) -> None:
    """Cut the segments of these chunks out of the registered source, for one run."""
    with store.local(keys.source(video.sha256)) as source, store.workspace(keys.run(run_id)) as folder:
        made = [(chunk, folder / f"{chunk.index}.nut") for chunk in chunks]
        cut(source, video, [(chunk.piece, path) for chunk, path in made])
        for chunk, path in made:
            store.put(keys.segment(run_id, chunk.digest), path)
