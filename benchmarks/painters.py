"""How much faster two workers paint than one: `make bench-painters` (some 20 minutes).

Each has a processor of its own, for its network, its ffmpeg and its share of what the cluster needs beside them; chunks
take half a minute, as they do by default.
"""

import statistics
import tempfile
from datetime import datetime
from pathlib import Path

import ffmpeg
from tools.cluster import Cluster
from tools.local import Commands

PAIRS = 3
CHUNKS, FRAMES = 6, 300
ASK_SECONDS = 5
"""Between questions whether it is painted: the API server that answers runs on the same processors."""
FIRST, SECOND = "worker-filter-1", "worker-filter-2"


class OnProcessors(Cluster):
    """A cluster whose painters have a processor each."""

    def components(self) -> Commands:
        pinned = {name: ["taskset", "-c", str(number)] for number, name in enumerate((FIRST, SECOND))}
        return {name: [*pinned.get(name, []), *command] for name, command in super().components().items()}


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        cluster = OnProcessors(Path(folder) / "home", painters=2, painting=1)
        try:
            cluster.up()
            painted(cluster, Path(folder), "warm")
            ratios = []
            for pair in range(PAIRS):
                two = painted(cluster, Path(folder), f"{pair}-two")
                cluster.stop({SECOND})
                one = painted(cluster, Path(folder), f"{pair}-one")
                cluster.start(SECOND, cluster.components()[SECOND])
                ratios.append(one / two)
                print(f"one painter {one:.0f} s, two {two:.0f} s: {ratios[-1]:.2f} times as fast", flush=True)
        finally:
            cluster.down()
            cluster.forget()
    print(f"two painters are {statistics.median(ratios):.2f} times as fast as one")


def painted(cluster: Cluster, folder: Path, name: str) -> float:
    """Seconds in which the chunks of a video that nobody asked for before are painted."""
    seconds = CHUNKS * FRAMES / 25
    source = ffmpeg.input(f"testsrc2=size=480x270:rate=25:duration={seconds}", f="lavfi")
    video = folder / f"{name}.mp4"
    source.output(str(video), g=30, metadata=f"title={name}").run(quiet=True)
    run_id = cluster.trigger({"source": str(video), "filter": "starlit-swirl", "chunk_frames": FRAMES})
    if cluster.wait(run_id, every=ASK_SECONDS) != "success":
        raise RuntimeError(f"{run_id} failed; its logs are in {cluster.home}.")
    tasks = [one for one in cluster.tasks(run_id) if one["task_id"] == "filter"]
    begun, ended = ([datetime.fromisoformat(one[at]) for one in tasks] for at in ("start_date", "end_date"))
    return (max(ended) - min(begun)).total_seconds()


if __name__ == "__main__":
    main()
