"""Split: register the source, plan its chunks, cut the segments that chunks which are not painted yet need."""

import hashlib
import logging
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event

from rotoscope import fetch as web
from rotoscope.borders import key_frames, scene_cuts
from rotoscope.chunks import plan_chunks
from rotoscope.errors import Refused
from rotoscope.fetch import Fetch, name_of
from rotoscope.media import nut
from rotoscope.media.cut import cut
from rotoscope.media.output import Output
from rotoscope.media.packets import Packets
from rotoscope.media.probe import file_facts
from rotoscope.media.source import Source, open_source, reopen
from rotoscope.media.track import Track
from rotoscope.media.video import Video
from rotoscope.needs import Needs
from rotoscope.painting import lossless_picture, seconds_a_frame, steady_of
from rotoscope.plan import Chunk, Plan, cut_digest, make_plan, output_of, plan_digest
from rotoscope.request import Request
from rotoscope.steps.mask import bring_mask, keep_mask
from rotoscope.steps.remote import Connect, nowhere, open_budget
from rotoscope.store import keys
from rotoscope.store.base import Store
from rotoscope.store.filters import at_hand

log = logging.getLogger(__name__)
BLOCK = 2**20


def split(
    request: Request,
    store: Store,
    run_id: str,
    slots: int,
    threads: int,
    connect: Connect = nowhere,
    fetch: Fetch = web.fetch,
) -> tuple[str, Plan]:
    """Prepare a request for painting; gives the key of its plan, and the plan.

    slots: filter tasks that run side by side; threads: processor threads that each of them may use;
    connect: gives the endpoint of a remote filter; fetch: brings a URL into a file and gives its SHA-256.
    Raises Refused for a source or a request that cannot be used, before anything is stored.
    """
    with store.workspace(keys.run(run_id)) as folder:
        source, packets = arrive(request, store, folder, fetch)
        video = source.video
        request, mask = bring_mask(request, video, store, folder, fetch)
        output = output_of(request, video)  # refuses what cannot be, before anything is stored
        key = keys.plan(plan_digest(request, video, output))
        runs = _cut_into_runs(request, store, source, output, packets, slots, threads)
        plan = make_plan(request, video, output, packets, runs)
        store.replace_json(keys.needs(run_id), Needs.of(plan, run_id).model_dump())  # before it relies on any of it
        unpainted = [chunk for chunk in plan.chunks if not _is_painted(store, plan, chunk)]
        open_budget(store, request, video, run_id, unpainted, connect)
        _cut(store, plan, source, segments_of(unpainted), run_id, folder)
        if request.video is None:  # nobody registered it, so this run answers for it
            store.put_json(keys.held(keys.video(video.sha256), run_id), {"name": video.name})
        keep_source(store, source)
        keep_mask(request, store, mask)
        store.put_json(key, plan.model_dump(mode="json"))
    log.info("%s: %d frames in %d chunks, %d to paint", video.name, video.frames, len(plan.chunks), len(unpainted))
    return key, plan


def _is_painted(store: Store, plan: Plan, chunk: Chunk) -> bool:
    return all(store.exists(keys.painted_record(digest)) for digest in plan.names(chunk))


def segments_of(chunks: Iterable[Chunk]) -> set[int]:
    """The segments that these chunks are decoded from."""
    return {number for chunk in chunks for number in range(chunk.segments[0], chunk.segments[1] + 1)}


@contextmanager
def segment_track(store: Store, plan: Plan, video: Video, chunk: Chunk, run_id: str) -> Iterator[Track]:
    """How to read a chunk's part of the source; its segments are cut anew if the run's scratch is gone."""
    wanted = {number: keys.segment(run_id, plan.segments_digest, number) for number in sorted(segments_of([chunk]))}
    with ExitStack() as stack:
        folder = stack.enter_context(store.workspace(keys.run(run_id)))
        missing = {number for number, key in wanted.items() if not store.exists(key)}
        if missing:
            file = stack.enter_context(store.local(keys.source(video.sha256)))
            _cut(store, plan, reopen(video, file, folder), missing, run_id, folder)
        paths = [stack.enter_context(store.local(key)) for key in wanted.values()]
        whole = paths[0]
        if len(paths) > 1:
            whole = folder / "segments.nut"
            with whole.open("wb") as joined:
                nut.join(paths, joined)
        track = Track.of(video, whole).segment(whole, plan.segments.offset)
        yield replace(track, deinterlace=plan.request.deinterlace)


def arrive(request: Request, store: Store, folder: Path, fetch: Fetch) -> tuple[Source, Packets]:
    """The request's source, copied into a folder and probed there; with the packets of its pictures.

    Raises Refused if it is no video that can be used.
    """
    copy = folder / "source"
    url = request.source_url
    if url is not None:
        sha256 = fetch(url, copy)
        return open_source(copy, folder, lambda: sha256, name_of(url))
    if request.video is not None:
        return _registered(request.video, store, folder)
    return _copied(request.source_path, folder)


def _registered(sha256: str, store: Store, folder: Path) -> tuple[Source, Packets]:
    """A video that is in the store."""
    try:
        name = store.get_json(keys.manifest(sha256))["name"]
        with store.local(keys.source(sha256)) as path:
            shutil.copyfile(path, folder / "source")
    except KeyError:
        raise Refused(f"There is no video {sha256} in the store; register it first.") from None
    return open_source(folder / "source", folder, lambda: sha256, name)


def _copied(path: Path, folder: Path) -> tuple[Source, Packets]:
    """A file, copied while it is probed."""
    copy = folder / "source"
    file_facts(path)
    unwanted = Event()
    with ThreadPoolExecutor(1) as pool:
        hashed = pool.submit(_copy, path, copy, unwanted)
        try:
            source, packets = open_source(path, folder, hashed.result)
        except BaseException:
            unwanted.set()  # a refusal need not wait for the rest of a long film
            raise
    return replace(source, file=copy, pictures=copy if source.pictures == path else source.pictures), packets


def _copy(path: Path, target: Path, unwanted: Event) -> str:
    """Copy a file, unless it is no longer wanted; gives the SHA-256 of what was copied."""
    digest = hashlib.sha256()
    with path.open("rb") as read, target.open("wb") as written:
        while not unwanted.is_set() and (block := read.read(BLOCK)):
            digest.update(block)
            written.write(block)
    return digest.hexdigest()


def keep_source(store: Store, source: Source) -> None:
    """Keep the source and its manifest, once."""
    video = source.video
    if not store.exists(keys.manifest(video.sha256)):
        store.put(keys.source(video.sha256), source.file)
        store.put_json(keys.manifest(video.sha256), video.model_dump(mode="json"))


def _cut_into_runs(
    request: Request, store: Store, source: Source, output: Output, packets: Packets, slots: int, threads: int
) -> list[range]:
    """How the request's frames are cut into chunks: as the first time, since no measured speed is the same twice."""
    video = source.video
    key = keys.cut(cut_digest(request, video, output))
    if not store.exists(key):
        with at_hand(request, store) as ready:
            seconds = seconds_a_frame(ready, video, threads)
        frames = output.timeline.frames
        borders = _borders(request, source, frames, packets)
        runs = plan_chunks(len(frames), seconds, slots, request.chunk_frames, borders)
        store.put_json(key, [[run.start, run.stop] for run in runs])
    return [range(*run) for run in store.get_json(key)]


def _borders(request: Request, source: Source, frames: list[int], packets: Packets) -> dict[int, float]:
    """How good it is to cut before a place in the list of frames."""
    steady = steady_of(request, lossless_picture(request, source.video))
    if steady is not None:
        return dict.fromkeys(range(0, len(frames), steady.period), 1.0)  # elsewhere a period would be painted twice
    good = scene_cuts(source.track) if request.scene_cuts else key_frames(packets)
    places = {source.video.pts[frame]: place for place, frame in enumerate(frames)}
    return {places[pts]: score for pts, score in good.items() if pts in places}


def _cut(store: Store, plan: Plan, source: Source, wanted: set[int], run_id: str, folder: Path) -> None:
    """Put these segments of a source into the store, for one run."""
    if not wanted:
        return
    made = folder / "segments"
    made.mkdir()
    for number, path in enumerate(cut(source.track, plan.segments, made)):
        if number in wanted:
            store.put(keys.segment(run_id, plan.segments_digest, number), path)
        else:
            path.unlink()
