"""The courier of webhooks, in a server that is only being set up."""

import asyncio
import contextlib

import pytest

pytestmark = pytest.mark.xdist_group("dags")


def test_it_waits_for_the_stores_connection_in_a_sentence(
    airflow_database: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from rotoscope_api.courier import Courier
    from rotoscope_api.services import Services

    async def begun() -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(Courier(Services(None)).work(), 1)

    monkeypatch.delenv("AIRFLOW_CONN_ROTOSCOPE_STORE")
    asyncio.run(begun())
    said = [record for record in caplog.records if record.name == "rotoscope_api.courier"]
    assert [record.message for record in said] == ["The connection rotoscope_store is not there; webhooks wait for it"]
    assert not said[0].exc_info
