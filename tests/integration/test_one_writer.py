"""Many writes at once to Airflow's server on SQLite."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from tools.local import LocalAirflow

pytestmark = pytest.mark.xdist_group("airflow")


def test_rotoscopes_may_be_started_at_the_same_time(airflow: LocalAirflow, tmp_path: Path) -> None:
    headers = {"Authorization": f"Bearer {airflow.token}"}
    body = {"logical_date": None, "conf": {"source": str(tmp_path / "nowhere.mp4")}}

    def start(_: int) -> int:
        url = f"{airflow.url}/api/v2/dags/rotoscope/dagRuns"
        return requests.post(url, json=body, headers=headers, timeout=60).status_code

    with ThreadPoolExecutor(8) as callers:
        assert Counter(callers.map(start, range(24))) == {200: 24}
