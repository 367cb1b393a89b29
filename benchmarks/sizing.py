"""What a minute of 1080p60 costs: `python -m benchmarks.sizing` prints the table of docs/deploy.md (some 8 minutes)."""

import tempfile
from pathlib import Path
from typing import Any

from benchmarks import clips, stages
from rotoscope.steps.assemble import PROVENANCE
from rotoscope.store import keys
from rotoscope.store.folder import FolderStore

FILTER = "starlit-swirl"
DOLLARS = 0.045
"""Of an hour of a virtual processor of AWS' general machines, on demand."""
SECONDS, RATE = 3, 60
WAYS: dict[str, dict[str, Any]] = {
    "every frame painted": {},
    "`half`": {"half": True},
    "`key_frames`": {"key_frames": True},
    "`size` 720p": {"size": "720p"},
}


def main() -> None:
    """Measure and print."""
    source = clips.full_hd_at(RATE, SECONDS)
    print("| a minute of 1080p60 | processor, min | dollars | memory, MB | painted chunks, MB | result, MB |")
    print("|---|---|---|---|---|---|")
    for way, fields in WAYS.items():
        with tempfile.TemporaryDirectory() as folder:
            conf = {"source": str(source), "filter": FILTER, "chunk_frames": RATE, **fields}
            spent = [stages.cost(stage, conf, Path(folder)) for stage in stages.STAGES]
            painted, result = stored(FolderStore(Path(folder)))
        processor = sum(one.processor for one in spent) / SECONDS  # minutes a minute, as seconds a second
        peaks = "/".join(f"{one.peak:.0f}" for one in spent)
        sizes = f"{painted / SECONDS * 60 / 1e6:.0f} | {result / SECONDS * 60 / 1e6:.0f}"
        print(f"| {way} | {processor:.0f} | {processor / 60 * DOLLARS:.3f} | {peaks} | {sizes} |", flush=True)


def stored(store: FolderStore) -> tuple[int, int]:
    """Bytes of the painted chunks, and of the result."""
    plan = store.get_json((store.root / stages.PLAN).read_text())
    objects = store.get_json(keys.result(plan["result"], PROVENANCE))["objects"]
    return stages.painted_bytes(store, plan), (store.root / objects["video"]).stat().st_size


if __name__ == "__main__":
    main()
