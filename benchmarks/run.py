"""Speed, overhead and memory in one run, as ratios: `make bench`. Figures of different machines do not compare."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from tools.local import LocalAirflow

from benchmarks import api, clips, endpoint, engines, media, pack, stages, steady
from benchmarks.airflow import running
from rotoscope.media.source import open_source
from rotoscope.media.video import Video
from rotoscope.painting import Workshop
from rotoscope.request import Request
from rotoscope.store.folder import FolderStore

FILTER = "starlit-swirl"
CORES = os.cpu_count() or 1
ENGINE_FRAMES = 80
REPEATS = 5
CHUNKS = 30


def main() -> None:
    """Measure and print."""
    clip = clips.minutes(1)
    video = probed(clip)
    print(f"{video.frames} frames of {video.width}x{video.height}, {FILTER}, {CORES} cores\n")
    with tempfile.TemporaryDirectory() as folder:
        engine = engine_speed(clip)
        show("raw engine", f"{engine:.2f} frames/s")
        reference = video.frames / reference_seconds(clip, Path(folder))
        show("reference", f"{reference:.2f} frames/s", f"{reference / engine:.2f} of the engine")
        with running(Path(folder)) as (airflow, store):
            orchestrated(airflow, store, clip, reference)
            overhead(airflow, Path(folder))
        peaks(Path(folder))
    engines.measure(show)
    pack.measure(show)
    steady.measure(show)
    media.measure(show)
    endpoint.measure(show)
    api.measure(show)


def probed(clip: Path) -> Video:
    """The clip's manifest."""
    with tempfile.TemporaryDirectory() as folder:
        return open_source(clip, Path(folder))[0].video


def show(what: str, figure: str, ratio: str = "") -> None:
    """One line of the report."""
    print(f"{what:42} {figure:>18}   {ratio}", flush=True)


def engine_speed(clip: Path) -> float:
    """Frames a second of the filter alone, on arrays."""
    video = probed(clip)
    workshop = Workshop.open(Request.parse({"source": str(clip), "filter": FILTER}), video, CORES)
    width, height = workshop.picture.size
    frame = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    list(workshop.painted([(0, frame)]))
    start = time.perf_counter()
    for _ in workshop.painted((i, frame) for i in range(ENGINE_FRAMES)):
        pass
    return ENGINE_FRAMES / (time.perf_counter() - start)


def reference_seconds(clip: Path, folder: Path) -> float:
    """How long `python -m rotoscope paint` takes, start to end."""
    start = time.perf_counter()
    command = ["paint", str(clip), "-o", str(folder / "reference.mp4"), "--filter", FILTER]
    subprocess.run([sys.executable, "-m", "rotoscope", *command], check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def request_seconds(airflow: LocalAirflow, every: float = 0.1, **conf: Any) -> tuple[float, str]:
    """From trigger to success, and the run's id; asking too often would slow a long run down."""
    start = time.perf_counter()
    run_id = airflow.trigger(conf)
    if airflow.wait(run_id, 3600, every) != "success":
        raise RuntimeError(f"{run_id} failed")
    return time.perf_counter() - start, run_id


def orchestrated(airflow: LocalAirflow, store: FolderStore, clip: Path, reference: float) -> None:
    """Speed of a request over the reference's, and the bytes it wrote over the source's."""
    seconds, run_id = request_seconds(airflow, every=1, source=str(clip), filter=FILTER)
    plan = store.get_json(airflow.xcom(run_id, "split", "plan"))
    frames = sum(chunk["frames"] for chunk in plan["chunks"])
    speed, chunks = frames / seconds, len(plan["chunks"])
    show(f"orchestrated, {chunks} chunks", f"{speed:.2f} frames/s", f"{speed / reference:.2f} of the reference")
    painted = stages.painted_bytes(store, plan)
    result = Path(store.address(airflow.xcom(run_id, "assemble")["video"])).stat().st_size
    source = clip.stat().st_size
    show("painted chunks", f"{painted / frames / 1000:.0f} kB/frame", f"{painted / source:.1f} times the source")
    show("result", f"{result / frames / 1000:.0f} kB/frame", f"{result / source:.1f} times the source")
    kept = sum(path.stat().st_size for path in store.root.rglob("*") if path.is_file())
    show("all that the request left in the store", f"{kept / 1e6:.0f} MB", f"{kept / source:.1f} times the source")


def overhead(airflow: LocalAirflow, folder: Path) -> None:
    """What a request and a chunk cost beside the work: an instant filter on clips that differ by a frame."""
    requests, chunked = [], []
    for repeat in range(REPEATS):
        frames = CHUNKS + repeat
        source = folder / f"{frames}.mp4"
        picture = f"testsrc2=size=160x90:rate=25:duration={frames / 25}"
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", picture, str(source)], check=True)
        conf: dict[str, Any] = {"source": str(source), "filter": "identity"}
        requests.append(request_seconds(airflow, **conf)[0])
        chunked.append(request_seconds(airflow, **conf, chunk_frames=1, format="mov")[0])
    one, many = statistics.median(requests), statistics.median(chunked)
    show("request of one chunk, instant filter", f"{one:.2f} s", "from trigger to success; at most 6 s")
    show("each further chunk", f"{(many - one) / (CHUNKS + REPEATS // 2 - 1):.2f} s")


def peaks(folder: Path) -> None:
    """Peak memory of each stage on ten minutes over that on one."""
    found: dict[int, dict[str, float]] = {}
    for length in (1, 10):
        root = folder / f"memory-{length}"
        root.mkdir()
        conf = {"source": str(clips.minutes(length)), "filter": "identity", "chunk_frames": 500}
        found[length] = {stage: stages.cost(stage, conf, root).peak for stage in stages.STAGES}
    for stage in stages.STAGES:
        short, long = found[1][stage], found[10][stage]
        show(f"peak memory of {stage}, 1 and 10 minutes", f"{short:.0f} and {long:.0f} MB", f"{long / short:.2f}")


if __name__ == "__main__":
    main()
