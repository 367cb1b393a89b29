"""Where things are in a store. The same keys in every kind of store."""

import hashlib
import json
import re
from typing import Any

NEEDS = "/needs.json"
"""How keys of what a request's run needs end."""


def digest(document: Any) -> str:
    """SHA-256, in hexadecimal, of a JSON document in one canonical form."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def slug(name: str) -> str:
    """A name from outside as a safe part of a key."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:80] or "unnamed"


def stem(key: str) -> str:
    """What an object is called: the last part of its key, without its ending."""
    return key.rpartition("/")[2].rpartition(".")[0]


def source(sha256: str) -> str:
    """The registered source of a video."""
    return f"videos/{sha256}/source"


def manifest(sha256: str) -> str:
    """What is known of a video; where it is, the source is whole."""
    return f"videos/{sha256}/manifest.json"


def plan(plan_digest: str) -> str:
    """The plan of a request."""
    return f"plans/{plan_digest}.json"


def cut(cut_digest: str) -> str:
    """How frames are cut into chunks."""
    return f"cuts/{cut_digest}.json"


def painted(chunk_digest: str) -> str:
    """A painted chunk."""
    return f"painted/{chunk_digest[:2]}/{chunk_digest}.nut"


def painted_record(chunk_digest: str) -> str:
    """The record of a painted chunk; where it is, the chunk is whole."""
    return f"painted/{chunk_digest[:2]}/{chunk_digest}.json"


def result(result_digest: str, name: str) -> str:
    """One of the files of a result."""
    return f"results/{result_digest}/{name}"


def filters(name: str) -> str:
    """Prefix of the versions of a filter that somebody made."""
    return f"filters/{name}"


def filter(name: str, version: int) -> str:
    """One version of a filter that somebody made."""
    return f"{filters(name)}/{version:06}.json"


def preview(filter_digest: str) -> str:
    """What a filter that somebody made looks like."""
    return f"previews/{filter_digest}.jpg"


def mask(sha256: str) -> str:
    """A picture or a video that says where frames are painted."""
    return f"masks/{sha256}"


def weights(sha256: str) -> str:
    """The network of a filter that was trained."""
    return f"weights/{sha256}.onnx"


def training(training_digest: str, name: str) -> str:
    """Something of a training: its recipe, what it learns from, a state to go on from, what can be seen of it."""
    return f"trainings/{training_digest}/{name}"


def sheet(sheet_digest: str, name: str) -> str:
    """One of the files of a contact sheet."""
    return f"sheets/{sheet_digest}/{name}"


def paid(paid_digest: str, index: int | None = None) -> str:
    """A frame that was painted elsewhere, until its chunk is whole; without an index, the prefix of all of them."""
    prefix = f"paid/{paid_digest[:2]}/{paid_digest}"
    return prefix if index is None else f"{prefix}/{index:08}"


def spent(run_id: str, desk: str | None = None, call: str | None = None) -> str:
    """The record of a call that a run paid for; without one, the prefix of those of a desk, or of the run."""
    names = [run(run_id).removeprefix("runs/"), *([desk] if desk else []), *([f"{call}.json"] if call else [])]
    return "/".join(["spent", *names])


def budget(run_id: str) -> str:
    """What a run may spend. It outlives the run's scratch, since tasks may be cleared and run again."""
    return f"budgets/{run(run_id).removeprefix('runs/')}.json"


def run(run_id: str) -> str:
    """Prefix of everything that a run needs only while it lasts. Two ids never share one, whatever their characters."""
    return f"runs/{slug(run_id)}-{hashlib.sha256(run_id.encode()).hexdigest()[:8]}"


def segment(run_id: str, segments_digest: str, number: int) -> str:
    """A segment of the source, for the length of a run."""
    return f"{run(run_id)}/segments/{segments_digest[:16]}/{number:05}.nut"


def needs(run_id: str) -> str:
    """What a request's run needs of the store until it is over."""
    return f"{run(run_id)}{NEEDS}"


def progress_prefix(run_id: str) -> str:
    """Prefix of how far the steps of a run are."""
    return f"{run(run_id)}/progress"


def progress(run_id: str, step: str) -> str:
    """How far a step of a run is."""
    return f"{progress_prefix(run_id)}/{step}.json"


def held(prefix: str, run_id: str | None = None) -> str:
    """The mark of a run that brought or made what is below a prefix; without a run, the prefix of all such marks.

    What no run holds any more may be deleted.
    """
    return f"{prefix}/held" if run_id is None else f"{prefix}/held/{run_id}.json"


def video(sha256: str) -> str:
    """Prefix of a registered video."""
    return f"videos/{sha256}"


def results(result_digest: str) -> str:
    """Prefix of a result."""
    return f"results/{result_digest}"


def incoming(run_id: str, name: str) -> str:
    """Something of a video that is to be registered: where it comes from, or its bytes."""
    return f"incoming/{run_id}/{name}"


def revoked(key_id: str) -> str:
    """That a partner's key opens nothing any more, since when. Written once, so that no other change undoes it."""
    return f"access/revoked/{key_id}.json"


def partner_key(key_id: str | None = None) -> str:
    """The record of a partner's key; without an id, the prefix of all of them."""
    return "access/keys" if key_id is None else f"access/keys/{key_id}.json"


def usage(tenant: str, month: str, run_id: str | None = None, frames: int = 0) -> str:
    """That a run of a tenant takes so many frames, which its name says; without one, the prefix of a month's."""
    prefix = f"access/usage/{tenant}/{month}"
    return prefix if run_id is None else f"{prefix}/{run_id}={frames}.json"


def claim(tenant: str, digest: str, turn: int | None = None) -> str:
    """What a tenant asked for under an idempotency key; without a turn, the prefix of all that it asked for so."""
    prefix = f"access/claims/{tenant}/{digest}"
    return prefix if turn is None else f"{prefix}/{turn:06}.json"


def webhook(webhook_id: str | None = None) -> str:
    """A webhook; without an id, the prefix of all of them."""
    return "webhooks" if webhook_id is None else f"webhooks/{webhook_id}.json"


def deliveries(webhook_id: str, *, due: bool = False) -> str:
    """Prefix of all that a webhook is told, or of the marks of what is still to be sent."""
    return f"deliveries/{webhook_id}/{'due' if due else 'all'}"


def delivery(webhook_id: str, delivery_id: str, *, due: bool = False) -> str:
    """Something that a webhook is told, or the mark that it is still to be sent."""
    return f"{deliveries(webhook_id, due=due)}/{delivery_id}.json"


def picture(sha256: str, name: str | None = None) -> str:
    """A picture that somebody sent; without a name, the prefix of all about it."""
    return f"pictures/{sha256}" if name is None else f"pictures/{sha256}/{name}"


def retired(name: str) -> str:
    """That a filter is to be chosen no more."""
    return f"{filters(name)}/retired.json"


def deleted(name: str) -> str:
    """The last version that was deleted of a filter, whose numbers are not given again."""
    return f"{filters(name)}/deleted.json"


def frame_set(run_id: str, name: str | None = None) -> str:
    """A picture of a set of frames, or what is known of the set; without a name, the prefix of all of it."""
    prefix = f"frames/{run(run_id).removeprefix('runs/')}"
    return prefix if name is None else f"{prefix}/{name}"


def batch(run_id: str, name: str | None = None) -> str:
    """Something of a run of a batch: what it wants, its plan, its report; without a name, the prefix of all of it."""
    prefix = f"batches/{run(run_id).removeprefix('runs/')}"
    return prefix if name is None else f"{prefix}/{name}"


def manifests(name: str) -> str:
    """A batch manifest that somebody put into the store, without its suffix."""
    return f"manifests/{name}"


def failure(dag: str, run_id: str) -> str:
    """Why a run failed, in the words of the task that did."""
    return f"failures/{dag}/{run(run_id).removeprefix('runs/')}.json"


def housekeeping(run_id: str) -> str:
    """What a run of housekeeping found and freed."""
    return f"housekeeping/{run(run_id).removeprefix('runs/')}.json"


def schedule(name: str | None = None) -> str:
    """A schedule; without a name, the prefix of all of them."""
    return "schedules" if name is None else f"schedules/{name}.json"


def arrived(inbox: str, digest: str) -> str:
    """That a video arrived in the inbox of a schedule, and was handed on."""
    return f"arrived/{inbox}/{digest}.json"
