"""The journey again, with the store in a bucket: uploads in parts, and results by presigned links."""

import json
import time
from pathlib import Path

import pytest
from tools.local import LocalAirflow

from tests.api.client import Caller
from tests.api.journey import journey
from tests.s3 import ACCESS, REGION, SECRET, s3_server

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("airflow-s3")]


@pytest.mark.parametrize("kind", ["moto", "nanio"])
def test_the_journey_with_a_bucket(kind: str, tmp_path: Path) -> None:
    with s3_server(kind, tmp_path / "s3") as server:
        server.client().create_bucket(Bucket="videos")
        extra = {
            "region_name": REGION,
            "endpoint_url": server.url,
            "config_kwargs": {"s3": {"addressing_style": "path"}, "signature_version": "s3v4"},
            "service_config": {"s3": {"bucket_name": "videos", "prefix": "rotoscope"}},
        }
        connection = json.dumps({"conn_type": "aws", "login": ACCESS, "password": SECRET, "extra": extra})
        local = LocalAirflow(tmp_path / "home", {"AIRFLOW_CONN_ROTOSCOPE_STORE": connection})
        try:
            local.up()
            caller = Caller(local.url, local.token)
            journey(caller, tmp_path)
            assert left(server.client()) == []
        finally:
            local.down()


def left(client: object) -> list[str]:
    """What runs left of their scratch, when they have cleaned up."""
    deadline = time.monotonic() + 30
    while True:
        found = client.list_objects_v2(Bucket="videos", Prefix="rotoscope/runs/").get("Contents", [])
        if not found or time.monotonic() > deadline:
            return [one["Key"] for one in found]
        time.sleep(0.5)
