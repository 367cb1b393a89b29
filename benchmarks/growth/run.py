"""Measure growth: `make bench-growth`. Prints the table of docs/scaling.md, in some 40 minutes on 2 cores."""

import argparse
import contextlib
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import NamedTuple

from tools.cluster import SETTINGS, Cluster
from tools.local import COMPONENTS, Commands, settings_in

from benchmarks.growth.executor import SLOTS

HERE = Path(__file__).parent
LOOP = "airflow.scheduler.scheduler_loop_duration:"
CASES = {"flat": ("flat", 1), "nested": ("part", 10), "1,000 requests": ("small", 1000), "longer chunks": ("long", 1)}
"""What is measured: a DAG, and how many runs of it. All but the requests have the same 50,000 seconds of work.

The longest tasks come last: they sleep on when their case is over.
"""
COMPARED = ("AIRFLOW__SCHEDULER__", "AIRFLOW__CORE__PARALLELISM")
"""How settings begin that bear on this; Airflow's own defaults stand in one column for ours in the other."""
STEADY_SECONDS = 900
MIB = 2**20


@dataclass
class Figures:
    """first: seconds from the request to its first chunk; loop: milliseconds of a scheduler loop; wait: seconds from a
    free slot to the next task; busy: share of the slots that work; database: MiB that the runs added. Medians.
    """

    first: float
    loop: float
    wait: float
    busy: float
    database: float

    def __str__(self) -> str:
        return f"{self.first:.0f} | {self.loop:.0f} | {self.wait:.1f} | {self.busy:.0%} | {self.database:.0f}"


class Note(NamedTuple):
    """That a task instance began, or ended."""

    kind: str
    when: float
    task: str
    ti: str


class Simulated(Cluster):
    """A cluster whose executor sleeps, with our settings or Airflow's."""

    awaited = "small"

    def __init__(self, home: Path, ours: bool, statsd: int) -> None:
        super().__init__(home)
        self.ours, self.statsd = ours, statsd

    def components(self) -> Commands:
        return {name: command for name, command in COMPONENTS.items() if name != "triggerer"}

    def environment(self) -> dict[str, str]:
        known = super().environment()
        fleet = [name for name in settings_in(SETTINGS) if name.startswith(COMPARED) and not self.ours]
        simulated = {
            "AIRFLOW__CORE__EXECUTOR": "benchmarks.growth.executor.SleepExecutor",
            "AIRFLOW__CORE__DAGS_FOLDER": str(HERE / "dags"),
            "AIRFLOW__METRICS__STATSD_ON": "True",
            "AIRFLOW__METRICS__STATSD_PORT": str(self.statsd),
            "GROWTH_BOOK": str(self.home / "book"),
            "PYTHONPATH": str(HERE.parents[1]),
        }
        return {**{name: value for name, value in known.items() if name not in fleet}, **simulated}

    def book(self) -> list[Note]:
        """What the executor wrote down."""
        with contextlib.suppress(FileNotFoundError):
            lines = [line.split() for line in (self.home / "book").read_text().splitlines()]
            return [Note(kind, float(when), task, ti) for kind, when, task, ti in lines]
        return []


@contextmanager
def scheduler_loops() -> Iterator[tuple[int, list[float]]]:
    """Listens to StatsD; gives its port, and the milliseconds of scheduler loops as they come."""
    found: list[float] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as heard:
        heard.bind(("127.0.0.1", 0))

        def listen() -> None:
            with contextlib.suppress(OSError):
                while True:
                    for line in heard.recv(2**16).decode().splitlines():
                        if line.startswith(LOOP):
                            found.append(float(line.removeprefix(LOOP).split("|")[0]))

        Thread(target=listen, daemon=True).start()
        yield int(heard.getsockname()[1]), found


def measure(airflow: Simulated, dag: str, runs: int, loops: list[float], window: float) -> Figures:
    """Start runs of a DAG, wait until every slot was used, and look for some seconds. The runs are then dropped."""
    (airflow.home / "book").unlink(missing_ok=True)
    size = "select pg_database_size('airflow')"
    before, began = int(airflow.query(size)), time.time()
    for _ in range(runs):
        airflow.trigger({}, dag)
    deadline = time.monotonic() + STEADY_SECONDS
    while sum(note.kind == "end" for note in airflow.book()) < SLOTS:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{dag} did not get under way in {STEADY_SECONDS} s; see {airflow.home}.")
        time.sleep(1)
    since, looped = time.time(), len(loops)
    time.sleep(window)
    book = airflow.book()
    figures = Figures(
        first=min(note.when for note in book if note.kind == "begin" and note.task == "filter") - began,
        loop=statistics.median(loops[looped:]),
        wait=statistics.median(waits(book, since)),
        busy=worked(book, since, since + window) / window / SLOTS,
        database=(int(airflow.query(size)) - before) / MIB,
    )
    airflow.query("truncate dag_run cascade")
    return figures


def waits(book: list[Note], since: float) -> list[float]:
    """Seconds from each slot that came free to the next task in it, for tasks that began after a time."""
    begins, ends = (sorted(note.when for note in book if note.kind == kind) for kind in ("begin", "end"))
    return [after - free for free, after in zip(ends, begins[SLOTS:]) if after > since]


def worked(book: list[Note], since: float, until: float) -> float:
    """Seconds of work between two times, in all slots together."""
    ends = {note.ti: note.when for note in book if note.kind == "end"}
    begins = [(note.when, ends.get(note.ti, until)) for note in book if note.kind == "begin"]
    return sum(max(0.0, min(end, until) - max(begin, since)) for begin, end in begins)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth.run", description=__doc__)
    parser.add_argument("--window", type=float, default=120, metavar="S", help="seconds to look at each case")
    parser.add_argument("--case", action="append", choices=CASES, help="only these")
    wanted = parser.parse_args()
    print("| | settings | first chunk, s | loop, ms | free slot to next task, s | slots busy | database, MiB |")
    print("|---|---|---|---|---|---|---|")
    for ours in (False, True):
        with tempfile.TemporaryDirectory() as folder, scheduler_loops() as (port, loops):
            airflow = Simulated(Path(folder) / "home", ours, port)
            try:
                airflow.up()
                airflow.query(f"update slot_pool set slots = {SLOTS} where pool = 'filter'")
                for name in wanted.case or CASES:
                    figures = measure(airflow, *CASES[name], loops, wanted.window)
                    print(f"| {name} | {'ours' if ours else 'defaults'} | {figures} |", flush=True)
            finally:
                airflow.down()
                airflow.forget()


if __name__ == "__main__":
    main()
