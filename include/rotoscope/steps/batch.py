"""Batch: from a manifest to the rotoscopes that are to be started, and from their results to a report."""

import json
import logging
import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from PIL import Image

from rotoscope.access.plans import Plan as AccessPlan
from rotoscope.batch import manifest as manifests
from rotoscope.batch.manifest import Manifest
from rotoscope.batch.places import List, find
from rotoscope.batch.plan import PLAN, WANTED, BatchPlan, Found, Priced, make_plan
from rotoscope.batch.report import JPEG_QUALITY, PAGE, REPORT, SHEET, Made, Report, make_report, page, sheet, thumbnail
from rotoscope.batch.wanted import Wanted, wanted
from rotoscope.errors import Refused, RotoscopeError
from rotoscope.estimate import endpoint_bill
from rotoscope.fetch import Fetch
from rotoscope.fields import DOCUMENTS, Find
from rotoscope.media.video import Video
from rotoscope.plan import output_of, result_digest
from rotoscope.request import Request
from rotoscope.steps.assemble import PROVENANCE
from rotoscope.steps.mask import bring_mask, keep_mask
from rotoscope.steps.register import register
from rotoscope.store import keys
from rotoscope.store.base import Store
from rotoscope.store.failures import reason_of

log = logging.getLogger(__name__)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
NOT_BROUGHT = {"refused": "It could not be registered, since its task was killed; run the batch again."}
ROTOSCOPE = "rotoscope"
"""The DAG that paints."""


def read_manifest(store: Store, name: str, written: Any, when: datetime) -> Manifest:
    """The manifest that was written into a run's params, as text or as a document, or the one of this name.

    A name is looked for in the store below `manifests/`, then in include/batches. Raises Refused if there is none, or
    it cannot be used.
    """
    if isinstance(written, dict):
        return Manifest.read(json.dumps(written), ".json", when)
    if written and str(written).strip():
        return Manifest.read(str(written), ".yaml", when)
    if not NAME.fullmatch(name):
        raise Refused(f"{name!r} is no name of a batch; write letters, digits, - and _, or the manifest itself.")
    for suffix in manifests.SUFFIXES:
        try:
            with store.local(keys.manifests(name) + suffix) as path:
                return Manifest.read(path.read_text(encoding="utf-8"), suffix, when)
        except KeyError:
            path = manifests.FOLDER / f"{name}{suffix}"
            if path.is_file():
                return Manifest.read(path.read_text(encoding="utf-8"), suffix, when)
    there = ", ".join(names(store)) or "none yet"
    raise Refused(f"There is no batch {name!r} in the store's manifests/ nor in include/batches; there is {there}.")


def names(store: Store) -> list[str]:
    """The batches that have a manifest in the store or in include/batches."""
    files: Iterable[str] = [*store.below("manifests"), *(path.name for path in manifests.FOLDER.glob("*"))]
    paths = map(Path, files)
    return sorted({path.stem for path in paths if path.suffix in manifests.SUFFIXES and NAME.fullmatch(path.stem)})


def expand_batch(store: Store, manifest: Manifest, run_id: str, listed: List, find_filter: Find) -> list[str]:
    """Write down what a manifest asks for; gives the place of each video, once.

    listed: lists a bucket. Raises Refused, before anything is done, with a sentence for each thing that is wrong.
    """
    found, notices = wanted(manifest, lambda place: find(place, store, listed), find_filter)
    document = {
        "run": run_id,
        "manifest": manifest.model_dump(),
        "notices": notices,
        "wanted": [one.model_dump() for one in found],
    }
    store.replace_json(keys.batch(run_id, WANTED), document)
    log.info("%d rotoscopes are asked for", len(found))
    return list(dict.fromkeys(one.place for one in found))


def bring_video(
    store: Store, place: str, run_id: str, fetch: Fetch, final: type[Exception] = Refused
) -> dict[str, str]:
    """Register a batch's video; gives its SHA-256, or why it cannot be used, with its place.

    final: what is not raised, to be tried again, but leaves the video out.
    """
    try:
        return {"place": place, "sha256": register(store, place, run_id, fetch)}
    except final as reason:
        log.warning("%s", reason)
        return {"place": place, "refused": str(reason)}


def plan_batch(
    store: Store, brought: Iterable[dict[str, str]], run_id: str, access: AccessPlan, find_filter: Find, fetch: Fetch
) -> BatchPlan:
    """Decide what is to be painted, and write it down. access: the plan of whom the batch is for.

    What was not brought is left out. Raises KeyError if nothing was expanded.
    """
    document = store.get_json(keys.batch(run_id, WANTED))
    videos = {one["place"]: one for one in brought}
    found: list[Found] = []
    for one in map(Wanted.model_validate, document["wanted"]):
        video = videos.get(one.place, NOT_BROUGHT)
        if "sha256" in video:
            found.append(_priced(store, one, video["sha256"], run_id, access, find_filter, fetch))
        else:
            found.append(Found(wanted=one, name=_name_of(one.place), refused=video["refused"]))
    digests = {one.priced.result for one in found if one.priced}
    there = {digest for digest in digests if made_of(store, digest)}
    manifest = Manifest.model_validate(document["manifest"])
    plan = make_plan(manifest, found, there, run_id, document["notices"])
    store.replace_json(keys.batch(run_id, PLAN), plan.model_dump(mode="json"))
    log.info("%d of %d rotoscopes are to be painted", len(plan.to_paint), len(plan.items))
    return plan


def report_batch(store: Store, run_id: str) -> Report:
    """Write down what became of a batch, as JSON, as a page and as a contact sheet. Raises KeyError without a plan."""
    plan = BatchPlan.model_validate(store.get_json(keys.batch(run_id, PLAN)))
    report = make_report(plan, lambda digest: made_of(store, digest), lambda run: reason_of(store, ROTOSCOPE, run))
    done = {place: row for place, row in enumerate(report.rows) if row.state == "done"}
    pictures = {place: _picture(store, row.result["before_after"]) for place, row in done.items()}
    store.delete(keys.batch(run_id, SHEET))
    store.delete(keys.batch(run_id, PAGE))
    with store.workspace(keys.run(run_id)) as folder:
        if pictures:
            labelled = [(done[place].label, picture) for place, picture in pictures.items()]
            sheet(labelled).save(folder / SHEET, "JPEG", quality=JPEG_QUALITY)
            store.put(keys.batch(run_id, SHEET), folder / SHEET)
        (folder / PAGE).write_text(page(report, pictures, store.address), encoding="utf-8")
        store.put(keys.batch(run_id, PAGE), folder / PAGE)
    store.replace_json(keys.batch(run_id, REPORT), report.model_dump(mode="json"))
    return report


def made_of(store: Store, digest: str) -> Made | None:
    """A result that is whole, None if there is none."""
    try:
        record = store.get_json(keys.result(digest, PROVENANCE))
    except KeyError:
        return None
    objects: dict[str, str] = record["objects"]
    if not all(store.exists(key) for key in objects.values()):
        return None
    return Made(objects, float(record.get("spent", {}).get("cost", 0)))


def report_keys(store: Store, run_id: str) -> dict[str, str]:
    """Keys of what `report_batch` wrote, by kind."""
    found = {"report": REPORT, "page": PAGE, "sheet": SHEET}
    there = {kind: keys.batch(run_id, name) for kind, name in found.items()}
    return {kind: key for kind, key in there.items() if store.exists(key)}


def _priced(
    store: Store, one: Wanted, sha256: str, run_id: str, access: AccessPlan, find_filter: Find, fetch: Fetch
) -> Found:
    """A wanted rotoscope with what it takes, or why it cannot be painted."""
    video = Video.model_validate(store.get_json(keys.manifest(sha256)))
    name = video.name if one.place.startswith("video://") else _name_of(one.place)
    try:
        request = Request.parse({"source": f"video://{sha256}", **one.options}, find_filter)
        with store.workspace(keys.run(run_id)) as folder:
            request, mask = bring_mask(request, video, store, folder, fetch)
            keep_mask(request, store, mask)
        output = output_of(request, video)
        frames = len(output.timeline.frames)
        _, cost = endpoint_bill(request, frames)
    except RotoscopeError as reason:  # also a mask that did not come, though it was asked for more than once
        return Found(wanted=one, name=name, refused=str(reason))
    written = set(one.options) | {"source", "filter"}
    priced = Priced(
        conf=request.model_dump(mode="json", include=written, exclude={DOCUMENTS}),
        result=result_digest(request, video, output),
        frames=frames,
        painting=frames * access.price_per_frame,
        endpoint=cost,
    )
    return Found(wanted=one, name=name, priced=priced)


def _name_of(place: str) -> str:
    return place.rpartition("/")[2]


def _picture(store: Store, key: str) -> Image.Image:
    """A result's picture, small: a batch may have a thousand."""
    with store.local(key) as path, Image.open(path) as picture:
        return thumbnail(picture)
