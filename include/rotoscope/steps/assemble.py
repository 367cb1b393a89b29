"""Assemble: join the painted chunks, put the sound back, verify, and publish the result with its records."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rotoscope import formats
from rotoscope.errors import Mismatch
from rotoscope.media.decode import decode
from rotoscope.media.deliver import deliver
from rotoscope.media.output import Output
from rotoscope.media.passage import notices
from rotoscope.media.pictures import save, side_by_side
from rotoscope.media.pixels import RGB
from rotoscope.media.source import reopen
from rotoscope.media.track import Picture, Track
from rotoscope.media.verify import verify
from rotoscope.media.video import Video
from rotoscope.painting import painted_track
from rotoscope.plan import Plan, output_of
from rotoscope.provenance import provenance
from rotoscope.quality.report import report as quality_report
from rotoscope.steps.paint import facts_of, forget
from rotoscope.steps.progress import ASSEMBLE, reporter
from rotoscope.steps.remote import Connect, bill_of, nowhere
from rotoscope.steps.split import segment_track
from rotoscope.store import keys
from rotoscope.store.base import Store

log = logging.getLogger(__name__)
PROVENANCE = "provenance.json"


def assemble(store: Store, plan_key: str, run_id: str, connect: Connect = nowhere) -> dict[str, str]:
    """Publish the result of a plan whose chunks are all painted; gives the keys of its objects by their kind.

    connect: gives the endpoint of a remote filter, whose prices make the bill.
    The result is verified first: raises Mismatch, and publishes nothing, if a frame is missing, moved or extra.
    """
    plan = Plan.model_validate(store.get_json(plan_key))
    video = Video.model_validate(store.get_json(keys.manifest(plan.video)))
    before = _finished(store, plan)
    if before is not None:
        log.info("This result was assembled before; nothing to do")
        store.put_json(keys.held(keys.results(plan.result), run_id), {})
        return before
    objects, output = result_keys(plan, video), output_of(plan.request, video)
    records = [_record(store, plan, index) for index in range(len(plan.chunks))]
    with store.workspace(keys.run(run_id)) as folder, store.local(keys.source(plan.video)) as file:
        path, source = folder / "painted", reopen(video, file, folder)
        said = reporter(store, run_id, ASSEMBLE)
        total = len(output.timeline.shown)
        deliver(path, _chunks(store, plan, records), source, output, lambda frames: said(min(frames, total), total))
        made = verify(path, source, output)
        _pictures(store, plan, video, output, folder, run_id)
        store.put_json(keys.held(keys.results(plan.result), run_id), {})
        store.put(objects["video"], path)
        # Another run may have been first with the same result, cut otherwise.
        with store.local(objects["video"]) as stored:
            facts = facts_of(stored)
        store.put(objects["poster"], folder / "poster.jpg")
        store.put(objects["before_after"], folder / "before_after.jpg")
    quality = quality_report(total, made.frames, made.av_offset_ms, records)
    damage = [f"The source is damaged: {said}" for said in quality["damage"]]
    said_of = notices(video, output.target, output.stored, plan.request.deinterlace)
    manifest = {
        **made.manifest,
        **facts,
        "name": Path(objects["video"]).name,
        "cut": video.cut.model_dump(),
    }
    store.put_json(objects["quality"], quality)
    store.put_json(objects["manifest"], {**manifest, "notices": [*said_of, *damage]})
    record = provenance(plan, video, {"frames": made.frames, **facts}, records)
    store.put_json(objects["provenance"], {**record, **_bill(store, plan, run_id, connect), "objects": objects})
    log.info("%d frames of %s are painted: %s", made.frames, video.name, store.address(objects["video"]))
    return objects


def _bill(store: Store, plan: Plan, run_id: str, connect: Connect) -> dict[str, Any]:
    """What the run spent at an endpoint; nothing if it painted here, or found everything painted."""
    if not plan.request.is_remote:
        return {}
    endpoint = connect()
    bill = bill_of(store, run_id, endpoint).bill(endpoint.prices)
    log.info("Spent: %s", ", ".join(f"{name} {value}" for name, value in bill.items()))
    return {"spent": bill}


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


def result_keys(plan: Plan, video: Video) -> dict[str, str]:
    """Keys for a new result's objects."""
    request = plan.request
    source = video.name if request.video else request.source
    name = f"{keys.slug(Path(source).stem)}-{request.filter}.{formats.get(request.format).extension}"
    names = {
        "video": name,
        "poster": "poster.jpg",
        "before_after": "before_after.jpg",
        "manifest": "manifest.json",
        "quality": "quality.json",
        "provenance": PROVENANCE,
    }
    return {kind: keys.result(plan.result, name) for kind, name in names.items()}


def _record(store: Store, plan: Plan, index: int) -> dict[str, Any]:
    """What is known of a painted chunk. Raises Mismatch if it is not painted."""
    chunk = plan.chunks[index]
    try:
        record: dict[str, Any] = store.get_json(keys.painted_record(chunk.digest))
    except KeyError:
        raise Mismatch(
            f"Chunk {chunk.index} ({chunk.label}) is not painted; run its filter task, then assemble again."
        ) from None
    return record


def _chunks(store: Store, plan: Plan, records: list[dict[str, Any]]) -> Iterator[Path]:
    """The painted chunks, one after the other, each as it was recorded."""
    for chunk, record in zip(plan.chunks, records, strict=True):
        with store.local(keys.painted(chunk.digest)) as path:
            if not record.items() >= facts_of(path).items():
                forget(store, chunk.digest)  # so that its filter task paints it again
                raise Mismatch(f"Chunk {chunk.index} ({chunk.label}) is damaged in the store; paint it again.")
            yield path


def _pictures(store: Store, plan: Plan, video: Video, output: Output, folder: Path, run_id: str) -> None:
    """The poster and the before/after picture, of the frame in the middle."""
    shown = output.timeline.shown
    middle, when = shown[len(shown) // 2]
    chunk = next(chunk for chunk in plan.chunks if chunk.start <= middle < chunk.end)
    with store.local(keys.painted(chunk.digest)) as path:
        after = _one(painted_track(path, output, video), when)
    with segment_track(store, plan, video, chunk, run_id) as track:
        before = _one(track, video.pts[middle])
    save(after, folder / "poster.jpg")
    side_by_side(before, after, folder / "before_after.jpg")


def _one(track: Track, pts: int) -> Any:
    (frame,) = decode(track, Picture(RGB, track.size), [pts])
    return frame
