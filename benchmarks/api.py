"""What lists of the API take with a thousand rotoscopes, and what fifty streams of progress cost the others."""

import sqlite3
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import requests
from tools.demo import clip
from tools.local import DAG_ID, LocalAirflow

PREFIX = "/rotoscope/api/v1"
RUNS, CALLERS, CALLS, STREAMS = 1000, 10, 20, 50
LISTS = (
    "/rotoscopes",
    "/rotoscopes?state=succeeded",
    "/rotoscopes?filter=identity",
    "/videos",
    "/contact-sheets",
    "/filters",
)

Show = Callable[[str, str, str], None]


def measure(show: Show) -> None:
    """Print both."""
    with TemporaryDirectory() as folder:
        airflow = LocalAirflow(Path(folder) / "home")
        try:
            airflow.up()
            _fill(airflow)
            for path in LISTS:
                seconds = _asked(airflow, path, CALLERS, CALLS)
                show(f"GET {path}, {CALLERS} callers", f"{_p95(seconds) * 1000:.0f} ms", "the 95th percentile")
            seconds = _asked(airflow, "/rotoscopes?created_after=2026-01-01T00:00:00.{:06}Z", CALLERS, CALLS)
            show(
                f"GET /rotoscopes, {CALLERS} callers, another list each time",
                f"{_p95(seconds) * 1000:.0f} ms",
                "the same",
            )
            alone = _asked(airflow, "/presets", 1, 100)
            with _streams(airflow):
                beside = _asked(airflow, "/presets", 1, 100)
            ratio = statistics.median(beside) / statistics.median(alone)
            show(f"a request beside {STREAMS} streams", f"{ratio:.2f}", "times one without them")
        finally:
            airflow.down()


def _fill(airflow: LocalAirflow) -> None:
    """A thousand runs that are over, as copies of a real one; and as many that run."""
    run_id = airflow.trigger({"source": str(clip()), "filter": "identity", "end": "0.1"})
    airflow.wait(run_id)
    with sqlite3.connect(airflow.home / "airflow.db", timeout=60) as database:
        database.row_factory = sqlite3.Row
        run = dict(database.execute("select * from dag_run where run_id = ?", [run_id]).fetchone())
        del run["id"]
        names, places = ", ".join(run), ", ".join("?" for _ in run)
        copies = [list({**run, "run_id": f"copy.{number}"}.values()) for number in range(RUNS)]
        database.executemany(f"insert into dag_run ({names}) values ({places})", copies)


def _asked(airflow: LocalAirflow, path: str, callers: int, calls: int) -> list[float]:
    """Seconds of each of so many calls of so many callers at once; a {} in the path is another number each time."""
    seconds: list[float] = []
    numbers = count()

    def ask() -> None:
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {airflow.token}"
            for _ in range(calls):
                begun = time.perf_counter()
                session.get(f"{airflow.url}{PREFIX}{path.format(next(numbers))}", timeout=60).raise_for_status()
                seconds.append(time.perf_counter() - begun)

    threads = [threading.Thread(target=ask) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seconds


@contextmanager
def _streams(airflow: LocalAirflow) -> Iterator[None]:
    """Fifty callers who watch a rotoscope that waits for its turn."""
    airflow.call("PATCH", f"/api/v2/dags/{DAG_ID}", json={"is_paused": True}).raise_for_status()
    headers = {"Authorization": f"Bearer {airflow.token}"}
    open_ones = []
    for _ in range(STREAMS):
        place = f"{airflow.url}{PREFIX}/rotoscopes/{airflow.trigger({'source': str(clip())})}/events"
        open_ones.append(requests.get(place, headers=headers, stream=True, timeout=60))
    yield
    for one in open_ones:
        one.close()


def _p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1]


def _print(what: str, figure: str, ratio: str = "") -> None:
    print(f"{what:50} {figure:>10} {ratio}")


if __name__ == "__main__":
    measure(_print)
