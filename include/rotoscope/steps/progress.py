"""Progress: what a running step leaves in the store for whoever watches, gone with the run's scratch."""

import time
from dataclasses import dataclass

from rotoscope.painting import Report
from rotoscope.plan import Plan
from rotoscope.store import keys
from rotoscope.store.base import Store

SECONDS = 1.0
ASSEMBLE = "assemble"
"""The name under which assembling reports."""


@dataclass(frozen=True)
class Overview:
    """How far a run is. painted, frames: of all chunks; assembled: frames that the result has already."""

    painted: int
    assembled: int
    frames: int


def chunk_step(index: int) -> str:
    """The name under which the painting of a chunk reports."""
    return f"filter-{index:05}"


def reporter(store: Store, run_id: str, step: str) -> Report:
    """A Report that writes progress at most once a second, and when all frames are done."""
    last = time.monotonic()

    def report(done: int, frames: int) -> None:
        nonlocal last
        if done == frames or time.monotonic() - last >= SECONDS:
            last = time.monotonic()
            store.replace_json(keys.progress(run_id, step), {"frames": frames, "done": done})

    return report


def read(store: Store, run_id: str, step: str) -> tuple[int, int]:
    """(frames done, frames in all) of a step; (0, 0) if it has not said anything yet."""
    try:
        said = store.get_json(keys.progress(run_id, step))
    except KeyError:
        return 0, 0
    return said["done"], said["frames"]


def overview(store: Store, run_id: str, plan: Plan) -> Overview:
    """How far a run with this plan is, by what its steps have said so far."""
    said = {keys.stem(key) for key in store.below(keys.progress_prefix(run_id))}
    steps = [chunk_step(chunk.index) for chunk in plan.chunks]
    painted = sum(read(store, run_id, step)[0] for step in steps if step in said)
    assembled = read(store, run_id, ASSEMBLE)[0] if ASSEMBLE in said else 0
    return Overview(painted, assembled, sum(chunk.frames for chunk in plan.chunks))
