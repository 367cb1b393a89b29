"""Assemble: join the painted chunks, put the sound back, verify, and publish the result with its records."""

import logging
from collections.abc import Iterator
from pathlib import Path

from rotoscope import formats
from rotoscope.errors import Mismatch, ProcessFailed
from rotoscope.media.decode import decode
from rotoscope.media.deliver import deliver, notices
from rotoscope.media.pictures import save, side_by_side
from rotoscope.media.pixels import RGB
from rotoscope.media.timeline import Timeline
from rotoscope.media.track import Frame, Picture, Track
from rotoscope.media.verify import verify
from rotoscope.media.video import Video
from rotoscope.painting import show
from rotoscope.plan import Plan, timeline_of
from rotoscope.provenance import provenance
from rotoscope.steps.paint import forget_chunk, painted_track, segment_track, stored_of
from rotoscope.steps.progress import reporter
from rotoscope.store import keys
from rotoscope.store.base import Store

log = logging.getLogger(__name__)
PROVENANCE = "provenance.json"


def assemble(store: Store, plan_key: str, run_id: str) -> dict[str, str]:
    """Publish the result of a plan whose chunks are all painted; gives the keys of its objects by their kind.

    The result is verified first: raises Mismatch, and publishes nothing, if a frame is missing, moved or extra.
    """
    plan = Plan.model_validate(store.get_json(plan_key))
    video = Video.model_validate(store.get_json(keys.manifest(plan.video)))
    before = _finished(store, plan)
    if before is not None:
        log.info("This result was assembled before; nothing to do")
        return before
    objects = result_keys(plan)
    timeline = timeline_of(plan.request, video)
    with store.workspace(keys.run(run_id)) as folder, store.local(keys.source(plan.video)) as source:
        path = folder / "painted"
        _join(store, plan, video, timeline, source, path, run_id)
        made = verify(path, source, video, timeline)
        _pictures(store, plan, video, timeline, folder, run_id)
        store.put(objects["video"], path)
        store.put(objects["poster"], folder / "poster.jpg")
        store.put(objects["before_after"], folder / "before_after.jpg")
    records = [store.get_json(keys.painted_record(chunk.digest)) for chunk in plan.chunks]
    target = formats.get(plan.request.format)
    manifest = {**made.model_dump(mode="json"), "name": Path(objects["video"]).name, "notices": notices(video, target)}
    store.put_json(objects["manifest"], manifest)
    store.put_json(objects["provenance"], {**provenance(plan, video, made, records), "objects": objects})
    log.info("%d frames of %s are painted: %s", made.frames, video.name, store.address(objects["video"]))
    return objects


def _finished(store: Store, plan: Plan) -> dict[str, str] | None:
    """The keys of a result that is whole, by its provenance, which is written last; the rest of others is deleted."""
    try:
        objects: dict[str, str] = store.get_json(keys.result(plan.result, PROVENANCE))["objects"]
    except KeyError:
        return None
    if all(store.exists(key) for key in objects.values()):
        return objects
    log.warning("Parts of this result are gone from the store; it is assembled again")
    store.delete(keys.result(plan.result, PROVENANCE))
    for key in objects.values():
        store.delete(key)
    return None


def result_keys(plan: Plan) -> dict[str, str]:
    """Keys for a new result's objects."""
    request = plan.request
    name = f"{keys.slug(Path(request.source).stem)}-{request.filter}.{formats.get(request.format).extension}"
    names = {
        "video": name,
        "poster": "poster.jpg",
        "before_after": "before_after.jpg",
        "manifest": "manifest.json",
        "provenance": PROVENANCE,
    }
    return {kind: keys.result(plan.result, name) for kind, name in names.items()}


def _join(store: Store, plan: Plan, video: Video, timeline: Timeline, source: Path, path: Path, run_id: str) -> None:
    """Decode the painted chunks one after the other into one encoder, together with the source's sound."""
    target = formats.get(plan.request.format)
    picture = stored_of(plan, video)
    report = reporter(store, run_id, "assemble")
    with deliver(path, source, video, target, picture, timeline) as timed:
        show(timeline, _painted_frames(store, plan, video, timeline), timed, report)


def _painted_frames(store: Store, plan: Plan, video: Video, timeline: Timeline) -> Iterator[tuple[int, Frame]]:
    pts, frames, picture = video.pts, timeline.frames, stored_of(plan, video)
    for chunk in plan.chunks:
        indices = chunk.of(frames)
        if not store.exists(keys.painted(chunk.digest)):
            raise Mismatch(
                f"Chunk {chunk.index} ({chunk.label}) is not painted; run its filter task, then assemble again."
            )
        with store.local(keys.painted(chunk.digest)) as path:
            track = painted_track(path, plan, chunk, video)
            try:
                yield from zip(indices, decode(track, picture, [pts[index] for index in indices]), strict=True)
            except (Mismatch, ProcessFailed):
                forget_chunk(store, chunk)  # so that its filter task paints it again
                raise


def _pictures(store: Store, plan: Plan, video: Video, timeline: Timeline, folder: Path, run_id: str) -> None:
    """The poster and the before/after picture, of the frame in the middle."""
    middle = timeline.shown[len(timeline.shown) // 2][0]
    chunk = next(chunk for chunk in plan.chunks if chunk.start <= middle < chunk.end)
    with store.local(keys.painted(chunk.digest)) as path:
        after = _one(painted_track(path, plan, chunk, video), video.pts[middle])
    with segment_track(store, video, chunk, run_id) as track:
        before = _one(track, video.pts[middle])
    save(after, folder / "poster.jpg")
    side_by_side(before, after, folder / "before_after.jpg")


def _one(track: Track, pts: int) -> Frame:
    (frame,) = decode(track, Picture(RGB, track.size), [pts])
    return frame
