"""Webhooks of a running server: told in order, signed, tried again, replayed."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from standardwebhooks import Webhook, WebhookVerificationError
from tools.local import LocalAirflow

from tests.api.client import Caller
from tests.media import make_video

pytestmark = pytest.mark.xdist_group("airflow")


class Receiver:
    """A server of somebody who wants to be told. refuses: how many times it answers 500 first."""

    def __init__(self, refuses: int = 0) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        left = iter(range(refuses))
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(500 if next(left, None) is not None else 204)
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/told"

    def wait(self, count: int, seconds: float = 60) -> list[dict[str, Any]]:
        """What it was told, when that is so much."""
        deadline = time.monotonic() + seconds
        while len(self.got) < count:
            assert time.monotonic() < deadline, self.got
            time.sleep(0.1)
        return [json.loads(body) for _, body in self.got]

    def close(self) -> None:
        self._server.shutdown()


@pytest.fixture
def receiver(request: pytest.FixtureRequest) -> Iterator[Receiver]:
    made = Receiver(getattr(request, "param", 0))
    yield made
    made.close()


@pytest.fixture
def caller(airflow: LocalAirflow, request: pytest.FixtureRequest) -> Caller:
    """A tenant of the test's own, so that it is told of nothing else."""
    admin = Caller(airflow.url, airflow.token)
    scopes = ["videos:write", "videos:read", "rotoscopes:write", "rotoscopes:read", "webhooks:read", "webhooks:write"]
    tenant = f"hook-{abs(hash(request.node.name)) % 10**8}"
    key = admin.post("/keys", {"name": "A test", "tenant": tenant, "plan": "studio", "scopes": scopes}).json()
    return Caller(airflow.url, key["token"])


def painted(caller: Caller, folder: Path, **options: Any) -> dict[str, Any]:
    video = caller.uploaded(make_video(folder / "clip.mp4", frames=20))
    return caller.made("/rotoscopes", {"video": video["id"], "filter": "identity", **options})


def test_start_and_end_are_told_signed_and_replayed(caller: Caller, receiver: Receiver, tmp_path: Path) -> None:
    hook = caller.made("/webhooks", {"url": receiver.url, "events": ["rotoscope.started", "rotoscope.ended"]})
    made = painted(caller, tmp_path)
    told = receiver.wait(2)
    assert [one["type"] for one in told] == ["rotoscope.started", "rotoscope.ended"]
    assert {one["data"]["id"] for one in told} == {made["id"]}
    assert told[1]["data"]["state"] == "succeeded"
    for headers, body in receiver.got:
        Webhook(hook["secret"]).verify(body, headers)
        with pytest.raises(WebhookVerificationError):
            Webhook("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").verify(body, headers)

    place = f"/webhooks/{hook['id']}"
    assert hook["secret"] not in caller.get(place).text
    rotated = caller.post(f"{place}/rotation").json()
    (last, _) = caller.get(f"{place}/deliveries").json()["items"]
    assert (last["state"], last["attempts"][0]["status"]) == ("delivered", 204)
    assert caller.post(f"{place}/deliveries/{last['id']}/replay").status_code == 202
    assert receiver.wait(3)[2] == told[1]
    headers, body = receiver.got[2]
    assert headers["webhook-id"] == receiver.got[1][0]["webhook-id"]
    for secret in (hook["secret"], rotated["secret"]):
        Webhook(secret).verify(body, headers)
    time.sleep(3)
    assert len(receiver.got) == 3, "nothing is told twice by itself"


@pytest.mark.slow
@pytest.mark.parametrize("receiver", [1], indirect=True)
def test_what_was_not_taken_is_sent_again(caller: Caller, receiver: Receiver, tmp_path: Path) -> None:
    hook = caller.made("/webhooks", {"url": receiver.url, "events": ["rotoscope.ended"]})
    painted(caller, tmp_path)
    assert len(receiver.wait(2)) == 2
    (delivery,) = caller.get(f"/webhooks/{hook['id']}/deliveries").json()["items"]
    assert delivery["attempts"][0]["status"] == 500
    assert receiver.got[0][0]["webhook-id"] == receiver.got[1][0]["webhook-id"]


@pytest.mark.slow
def test_progress_is_throttled(caller: Caller, receiver: Receiver, tmp_path: Path) -> None:
    caller.made("/webhooks", {"url": receiver.url, "events": ["rotoscope.progress", "rotoscope.ended"]})
    video = caller.uploaded(make_video(tmp_path / "long.mp4", frames=200, size="320x180"))
    caller.made("/rotoscopes", {"video": video["id"], "filter": "starlit-swirl"})
    deadline = time.monotonic() + 30
    while not any(json.loads(body)["type"] == "rotoscope.ended" for _, body in receiver.got):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    shares = [json.loads(body)["data"]["progress"] for _, body in receiver.got[:-1]]
    assert 1 <= len(shares) <= 10
    assert all(0 < one["share"] <= 1 for one in shares)


def test_a_webhook_is_changed_switched_off_and_deleted(caller: Caller, receiver: Receiver, tmp_path: Path) -> None:
    again = {"Idempotency-Key": "one"}
    body = {"url": receiver.url}
    first, second = (caller.post("/webhooks", body, headers=again).json() for _ in range(2))
    assert (first["id"], second["secret"]) == (second["id"], None)
    place = f"/webhooks/{first['id']}"
    tag = caller.get(place).headers["ETag"]
    off: requests.Response = caller.call("PATCH", place, json={"enabled": False}, headers={"If-Match": tag})
    assert (off.status_code, off.json()["enabled"]) == (200, False)
    assert caller.call("PATCH", place, json={"enabled": True}, headers={"If-Match": tag}).status_code == 412
    painted(caller, tmp_path)
    time.sleep(3)
    assert receiver.got == []
    assert caller.call("DELETE", place, headers={"If-Match": off.headers["ETag"]}).status_code == 204
    assert caller.get(place).status_code == 404
