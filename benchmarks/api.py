"""What lists of the API take with a thousand rotoscopes, and what fifty streams of progress cost the others."""

import json
import re
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import requests
from tools.local import DAG_ID, INCLUDE, LocalAirflow

from benchmarks.airflow import running
from benchmarks.crowd import PREFIX, Crowd

CALLERS, CALLS, STREAMS = 10, 20, 50
LOOKED_FOR = (
    "/rotoscopes?state=succeeded",
    "/rotoscopes?filter=identity",
    "/rotoscopes?limit=100",
    "/videos?limit=100",
)
"""Lists with parameters."""
ANEW = "/rotoscopes?created_after=2026-01-01T00:00:00.{:06}Z"
"""A list that is another one each time, which nobody shares."""

Show = Callable[[str, str, str], None]


def measure(show: Show) -> None:
    """Print both."""
    with TemporaryDirectory() as folder, running(Path(folder)) as (airflow, store):
        crowd = Crowd(airflow, store)
        for path in (*lists(crowd.ids), *LOOKED_FOR, ANEW):
            _asked(airflow, path, 1, 1)  # the first one loads what the path needs
            seconds = _asked(airflow, path, CALLERS, CALLS)
            show(f"GET {path}", f"{_p95(seconds) * 1000:.0f} ms", f"the 95th percentile of {CALLERS} callers")
        alone = _asked(airflow, "/presets", 1, 100)
        with _streams(airflow, crowd):
            beside = _asked(airflow, "/presets", 1, 100)
        alone += _asked(airflow, "/presets", 1, 100)
        ratio = statistics.median(beside) / statistics.median(alone)
        show(f"a request beside {STREAMS} streams", f"{ratio:.2f}", "times one without them")


def lists(ids: dict[str, str]) -> list[str]:
    """The path of every list that the API's document has, so that none is forgotten."""
    document = json.loads((INCLUDE / "api" / "openapi.json").read_text())
    found = [
        path
        for path, operations in document["paths"].items()
        if any(one.get("name") == "cursor" for one in operations.get("get", {}).get("parameters", []))
    ]
    return [path.format(**ids) for path in found]


def _asked(airflow: LocalAirflow, path: str, callers: int, calls: int) -> list[float]:
    """Seconds of each of so many calls of so many callers at once; a {} in the path is another number each time."""
    _wait_for_room(airflow, callers * calls)
    numbers = count()

    def ask() -> list[float]:
        seconds = []
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {airflow.token}"
            for _ in range(calls):
                begun = time.perf_counter()
                said = session.get(f"{airflow.url}{PREFIX}{path.format(next(numbers))}", timeout=60)
                seconds.append(time.perf_counter() - begun)
                said.raise_for_status()
        return seconds

    with ThreadPoolExecutor(callers) as pool:
        asked = [pool.submit(ask) for _ in range(callers)]
        return [one for caller in asked for one in caller.result()]


@contextmanager
def _streams(airflow: LocalAirflow, crowd: Crowd) -> Iterator[None]:
    """Fifty callers, each of whom watches a rotoscope that runs."""
    airflow.call("PATCH", f"/api/v2/dags/{DAG_ID}", json={"is_paused": True}).raise_for_status()
    headers = {"Authorization": f"Bearer {airflow.token}"}
    places = [f"{airflow.url}{PREFIX}/rotoscopes/{name}/events" for name in crowd.running(STREAMS)]
    open_ones = [requests.get(place, headers=headers, stream=True, timeout=60) for place in places]
    first = next(open_ones[0].iter_lines(decode_unicode=True))
    if first != "event: progress":
        raise RuntimeError(f"The stream begins with {first!r}.")
    yield
    for one in open_ones:
        one.close()


def _wait_for_room(airflow: LocalAirflow, calls: int) -> None:
    """A caller's plan allows so many requests a minute: wait until enough are left."""
    headers = {"Authorization": f"Bearer {airflow.token}"}
    while True:
        said = requests.get(f"{airflow.url}{PREFIX}/presets", headers=headers, timeout=60)
        left, seconds = (int(found) for found in re.findall(r"[rt]=(\d+)", said.headers["RateLimit"]))
        if left >= calls:
            return
        time.sleep(seconds)


def _p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1]


def _print(what: str, figure: str, ratio: str = "") -> None:
    print(f"{what:50} {figure:>10} {ratio}")


if __name__ == "__main__":
    measure(_print)
