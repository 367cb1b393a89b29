"""Frames painted at an endpoint: the same as here, whatever goes wrong on the way, and none paid for twice."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rotoscope.algorithmia.client import Client
from rotoscope.algorithmia.endpoint import Endpoint
from rotoscope.algorithmia.errors import (
    AlgorithmFailed,
    AlgorithmiaError,
    BadAnswer,
    BadCredentials,
    BadInput,
    NoJson,
    NotFound,
    PaymentRequired,
    ServerFault,
    Unavailable,
)
from rotoscope.errors import Refused
from rotoscope.media.still import encode_picture
from rotoscope.request import Request
from rotoscope.steps.assemble import assemble
from rotoscope.steps.paint import begin_chunk, paint_chunk
from rotoscope.steps.remote import clear_scratch
from rotoscope.steps.split import split
from rotoscope.store import keys
from rotoscope.store.folder import FolderStore
from tests.algorithmia.faulty import Exchange, Fault, Faulty, faulty_endpoint, once, slow
from tests.media import frame_hashes
from tests.s3 import ACCESS, REGION, SECRET, s3_server
from tests.sampling import one_in
from tests.serving import KEY, Server, algorithmia_server

MODEL = "lava-glow"
RUN = "remote"
FRAMES = 48
TOO_MANY = {"error": {"message": "algorithm hit max number of active calls per session"}}


@pytest.fixture
def faulty(server: Server) -> Iterator[Faulty]:
    with faulty_endpoint(server.url) as endpoint:
        yield endpoint


@pytest.fixture
def endpoint(faulty: Faulty) -> Endpoint:
    """With nothing left there of the test before."""
    one = Endpoint(Client(faulty.url, KEY, timeout=20), grace=0.3)
    for left in one.data.list("data://.my"):
        if left.name.startswith("rotoscope-"):
            one.data.delete_directory(f"data://.my/{left.name}")
    return one


def request(clip: Path, **fields: object) -> Request:
    return Request.parse({"source": str(clip), "filter": "deepfilter", "model": MODEL, "chunk_frames": 24, **fields})


def painted(store: FolderStore, clip: Path, endpoint: Endpoint | None, **fields: object) -> Path:
    """The result of a request whose filter is remote, or here without an endpoint."""
    here = {"filter": MODEL, "model": None}
    asked = request(clip, **fields) if endpoint else request(clip, **here, **fields)
    connect = (lambda: endpoint) if endpoint else None
    with_it = {"connect": connect} if connect else {}
    key, plan = split(asked, store, RUN, 2, 1, **with_it)
    for chunk in plan.chunks:
        paint_chunk(store, key, chunk.index, RUN, 1, **with_it)
    return Path(store.address(assemble(store, key, RUN, **with_it)["video"]))


def test_frames_are_the_same_as_painted_here(
    store: FolderStore, clip: Path, endpoint: Endpoint, tmp_path: Path
) -> None:
    there = painted(store, clip, endpoint)
    here = painted(FolderStore(tmp_path / "other"), clip, None)
    assert frame_hashes(there) == frame_hashes(here)


def test_what_was_spent_is_counted_and_nothing_is_left_behind(
    store: FolderStore, clip: Path, endpoint: Endpoint, faulty: Faulty
) -> None:
    result = painted(store, clip, endpoint)
    assert len(faulty.painted()) == FRAMES
    provenance = json.loads((result.parent / "provenance.json").read_text())
    spent = provenance["spent"]
    assert (spent["calls"], spent["frames"]) == (len(faulty.calls), FRAMES)
    pictures = FRAMES * 160 * 90 * 3 // 10
    assert spent["sent"] > pictures
    assert spent["received"] > pictures
    assert spent["cost"] == pytest.approx(spent["seconds"] * 0.0001, abs=1e-6)
    assert sum(chunk["spent"]["seconds"] for chunk in provenance["chunks"]) == pytest.approx(spent["seconds"])
    assert list(store.below("paid")) == []
    clear_scratch(store, RUN, lambda: endpoint)
    assert not [one.name for one in endpoint.data.list("data://.my") if one.name.startswith("rotoscope-")]


def test_other_strength_and_own_colours_are_mixed_in_here(store: FolderStore, clip: Path, endpoint, tmp_path) -> None:
    mixed = {"strength": 0.5, "keep_colours": True, "end": "0.4"}
    there = painted(store, clip, endpoint, **mixed)
    assert frame_hashes(there) == frame_hashes(painted(FolderStore(tmp_path / "other"), clip, None, **mixed))


def answers(status: int, said: object, **headers: str) -> Fault:
    def fault(exchange: Exchange) -> bool:
        if exchange.is_call:
            exchange.send_json(status, said, **headers)
        return exchange.is_call

    return fault


def html(exchange: Exchange) -> bool:
    if exchange.is_call:
        exchange.send(200, b"<html>Please log in</html>", "text/html")
    return exchange.is_call


def cut_off(exchange: Exchange) -> bool:
    """The call is answered, but the answer breaks off."""
    if exchange.is_call:
        body = exchange.forward().content
        exchange.send(200, body[: len(body) // 2], promised=len(body))
    return exchange.is_call


def cut_off_before(exchange: Exchange) -> bool:
    """The connection breaks before anything is painted."""
    if exchange.is_call:
        exchange.send(200, b"{", promised=100)
    return exchange.is_call


def cut_picture(exchange: Exchange) -> bool:
    if exchange.is_painted_picture:
        body = exchange.forward().content
        exchange.send(200, body[: len(body) // 2], "image/png", promised=len(body), X_Data_Type="file")
    return exchange.is_painted_picture


PASSING = {
    "too many calls": answers(429, TOO_MANY, Retry_After="0"),
    "too many calls with status 200": answers(200, TOO_MANY),
    "rate limit": answers(429, {"error": {"message": "slow down"}}, Retry_After="0"),
    "in maintenance": answers(503, {}, Retry_After="0"),
    "out of memory": answers(200, {"error": {"message": "x", "error_type": "OutOfMemoryError"}}),
    "broken inside": answers(500, {"error": {"message": "oops"}}),
    "algorithm timed out": answers(200, {"error": {"message": "late", "error_type": "TimeoutError"}}),
    "a page of a proxy": html,
    "cut off after painting": cut_off,
    "cut off before painting": cut_off_before,
    "a picture is cut off": cut_picture,
}


@pytest.mark.parametrize("name", one_in(5, PASSING))
def test_what_passes_is_waited_for_and_no_frame_is_painted_twice(
    name: str, store: FolderStore, clip: Path, endpoint: Endpoint, faulty: Faulty
) -> None:
    faulty.fault = once(PASSING[name])
    painted(store, clip, endpoint, end="0.4")
    assert len(faulty.painted()) == len(set(faulty.painted())) == 10


def wrong_count(exchange: Exchange) -> bool:
    if exchange.is_call:
        said = exchange.forward().json()
        said["result"]["savePaths"].pop()
        exchange.send_json(200, said)
    return exchange.is_call


def instead(content: bytes) -> Fault:
    def fault(exchange: Exchange) -> bool:
        if exchange.is_painted_picture:
            exchange.send(200, content, "image/png", X_Data_Type="file")
        return exchange.is_painted_picture

    return fault


def other_picture(dtype: type, height: int) -> bytes:
    return encode_picture(np.zeros((height, 160, 3), dtype), "png")


LASTING: dict[str, tuple[Fault, type[AlgorithmiaError], str]] = {
    "bad key": (answers(401, {"error": {"message": "authorization required"}}), BadCredentials, "authorization"),
    "bad key with status 200": (answers(200, {"error": {"message": "authorization required"}}), BadCredentials, "auth"),
    "no credits": (
        answers(200, {"error": {"message": "x", "error_type": "PaymentRequiredError"}}),
        PaymentRequired,
        "x",
    ),
    "bad input": (answers(200, {"error": {"message": "no", "error_type": "InputError"}}), BadInput, "no"),
    "no such algorithm": (
        answers(404, {"error": {"message": "algorithm algo://a/b not found"}}),
        NotFound,
        "algo://a/b",
    ),
    "broken algorithm": (
        answers(200, {"error": {"message": "x", "error_type": "AlgorithmError"}}),
        AlgorithmFailed,
        "x",
    ),
    "wrong count": (wrong_count, BadAnswer, "painted 4 pictures where 5"),
    "wrong size": (instead(other_picture(np.uint8, 30)), BadAnswer, "at 160x30 instead of 160x90"),
    "wrong depth": (instead(other_picture(np.uint16, 90)), BadAnswer, "16 bits a colour instead of 8"),
    "no picture": (instead(b"GIF89a but not really"), BadAnswer, "is no picture"),
    "half a picture": (instead(other_picture(np.uint8, 90)[:-20]), BadAnswer, "it is cut off"),
    "always a page": (html, NoJson, "web page"),
    "always broken": (answers(500, {"error": {"message": "oops"}}), ServerFault, "oops"),
}


@pytest.mark.parametrize("name", one_in(5, LASTING))
def test_what_lasts_ends_in_its_own_error_and_nothing_wrong_is_kept(
    name: str, store: FolderStore, clip: Path, endpoint: Endpoint, faulty: Faulty
) -> None:
    fault, kind, said = LASTING[name]
    faulty.fault = fault
    with pytest.raises(kind, match=said) as caught:
        painted(store, clip, endpoint, end="0.4")
    assert KEY not in str(caught.value)
    assert list(store.below("painted")) == list(store.below("results")) == []
    assert bool(list(store.below("paid"))) == (name == "wrong count"), "only that one's pictures are good"
    faulty.fault = None
    clear_scratch(store, RUN, lambda: endpoint)
    assert painted(store, clip, endpoint, end="0.4").exists()


def test_after_an_error_only_what_is_missing_is_painted(
    store: FolderStore, clip: Path, endpoint: Endpoint, faulty: Faulty
) -> None:
    def third_call_fails(exchange: Exchange) -> bool:
        return exchange.is_call and faulty.tried == 3 and answers(401, {"error": "authorization required"})(exchange)

    faulty.fault = third_call_fails
    with pytest.raises(BadCredentials):
        painted(store, clip, endpoint)
    first = len(faulty.painted())
    assert first > 0
    faulty.fault = None
    painted(store, clip, endpoint)
    assert len(faulty.painted()) == len(set(faulty.painted())) == FRAMES


def test_calls_at_once_come_down_to_what_the_endpoint_takes(
    store: FolderStore, clip: Path, faulty: Faulty, endpoint: Endpoint
) -> None:
    def at_most_two(exchange: Exchange) -> bool:
        time.sleep(0.05 * exchange.is_call)
        return exchange.is_call and faulty.at_once > 2 and answers(429, TOO_MANY, Retry_After="0")(exchange)

    faulty.fault = at_most_two
    painted(store, clip, Endpoint(endpoint.client, batch_frames=1, grace=0.3))
    assert len(faulty.painted()) == len(set(faulty.painted())) == FRAMES
    assert faulty.tried < 3 * FRAMES


def test_a_cap_on_calls_is_never_passed_and_what_is_painted_stays(
    store: FolderStore, clip: Path, faulty: Faulty, endpoint: Endpoint
) -> None:
    one_each = Endpoint(endpoint.client, batch_frames=1, grace=0.3)
    with pytest.raises(Refused, match=rf"{FRAMES} frames take at least {FRAMES} calls, and the cap is 10"):
        painted(store, clip, one_each, most_calls=10)
    assert faulty.tried == 0

    def wasteful(exchange: Exchange) -> bool:
        return exchange.is_call and faulty.tried % 2 == 0 and answers(500, {"error": {"message": "x"}})(exchange)

    faulty.fault = wasteful
    with pytest.raises(Refused, match=r"Stopped after \d+ of 48 frames: .* calls are spent, .* the cap is 50"):
        painted(store, clip, one_each, most_calls=50)
    assert faulty.tried <= 50
    faulty.fault = None
    painted(store, clip, one_each)
    assert len(faulty.painted()) == len(set(faulty.painted())) == FRAMES


def test_a_cap_on_cost_stops_by_forecast(store: FolderStore, clip: Path, faulty: Faulty, endpoint: Endpoint) -> None:
    def fault(exchange: Exchange) -> bool:
        if not exchange.is_call:
            return False
        said = exchange.forward().json()
        said["metadata"]["duration"] = 100.0
        exchange.send_json(200, said)
        return True

    faulty.fault = fault
    with pytest.raises(
        Refused, match=r"of 48 frames: .* USD are spent, all of it would take some .*, and the cap is 0.05"
    ):
        painted(store, clip, Endpoint(endpoint.client, batch_frames=1, calls_at_once=1), most_cost=0.05)
    assert 3 <= faulty.tried <= 4


def test_a_worker_that_is_killed_leaves_what_it_paid_for(
    store: FolderStore, clip: Path, server: Server, faulty: Faulty, endpoint: Endpoint
) -> None:
    faulty.fault = slow(0.1)
    script = Path(__file__).with_name("paint_chunk.py")
    child = subprocess.Popen([sys.executable, script, str(store.root), str(clip), faulty.url, KEY, MODEL])
    while len(faulty.painted()) < 15:
        assert child.poll() is None
        time.sleep(0.02)
    child.kill()
    child.wait()
    time.sleep(1)  # what was on its way comes to its end
    answered = len(faulty.painted())
    assert answered < FRAMES
    faulty.fault = None
    painted(store, clip, endpoint)
    assert len(faulty.painted()) == len(set(faulty.painted())) == FRAMES


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"model": None}, "needs a model; name one that the endpoint has"),
        ({"filter": "lava-glow"}, "takes no model"),
        ({"model": "x y"}, "model cannot be 'x y'"),
        ({"most_calls": -1}, "most_calls is -1"),
    ],
)
def test_bad_fields_are_refused(clip: Path, fields: dict, said: str) -> None:
    with pytest.raises(Refused, match=said):
        request(clip, **fields)


def test_a_model_of_ones_own_is_named_to_the_endpoint(store: FolderStore, clip: Path, endpoint: Endpoint) -> None:
    with pytest.raises(BadInput, match=r"there is no filter 'data://\.my/models/x\.t7' on this server"):
        painted(store, clip, endpoint, model="data://.my/models/x.t7")


@pytest.mark.slow
def test_pictures_can_go_by_way_of_a_bucket(store: FolderStore, clip: Path, tmp_path: Path) -> None:
    keys_of_s3 = {"AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": REGION}
    (tmp_path / "s3").mkdir()
    with s3_server("moto", tmp_path / "s3") as s3:
        s3.client().create_bucket(Bucket="frames")
        environment = {**os.environ, **keys_of_s3}
        with algorithmia_server(tmp_path, "--connect", f"s3+mine={s3.url}", env=environment) as server:
            client = Client(server.url, KEY, timeout=20)
            endpoint = Endpoint(client, scratch="s3+mine://frames/on/their/way")
            painted(store, clip, endpoint, end="0.4")
            painted_again = painted(FolderStore(tmp_path / "here"), clip, None, end="0.4")
            result = next(iter(store.root.glob("results/*/*.mp4")))
            assert frame_hashes(result) == frame_hashes(painted_again)
            clear_scratch(store, RUN, lambda: endpoint)
            assert s3.client().list_objects_v2(Bucket="frames")["KeyCount"] == 0
            data = endpoint.data
            bucket = s3.client()
            with ThreadPoolExecutor(8) as pool:
                put = lambda number: bucket.put_object(Bucket="frames", Key=f"many/{number:04}", Body=b"")  # noqa: E731
                list(pool.map(put, range(1002)))
            assert len(list(data.list("s3+mine://frames/many"))) == 1002
            assert data.exists("s3+mine://frames/many")
            data.delete("s3+mine://frames/many/0000")
            assert not data.exists("s3+mine://frames/many/0000")
            with pytest.raises(NotFound):
                data.read("s3+mine://frames/none")


def test_a_cap_on_cost_counts_calls_that_are_on_their_way(
    store: FolderStore, clip: Path, faulty: Faulty, endpoint: Endpoint
) -> None:
    faulty.fault = slow(0.3)
    expected = 0.5 * 0.0001  # what the catalogue and the price list say of a frame
    with pytest.raises(Refused, match="and the cap is"):
        painted(store, clip, Endpoint(endpoint.client, batch_frames=1, grace=0.3), most_cost=3.5 * expected)
    assert faulty.most_at_once <= 3


@pytest.mark.slow
def test_frames_that_wait_at_the_endpoint_are_kept_when_the_run_is_cleaned_up(
    store: FolderStore, clip: Path, faulty: Faulty, endpoint: Endpoint
) -> None:
    connect = lambda: endpoint  # noqa: E731
    key, _ = split(request(clip, most_calls=8), store, RUN, 2, 1, connect)
    awaited = begin_chunk(store, key, 0, RUN, connect)
    assert len(awaited) == 24
    names = {uri.rpartition("/")[2] for uri in awaited}
    while not names <= {entry.name for entry in endpoint.data.list(awaited[0].rpartition("/")[0])}:
        time.sleep(0.1)
    clear_scratch(store, RUN, connect)
    store.delete(keys.run(RUN))
    assert len(list(store.below("paid"))) == 24
    tried = faulty.tried
    paint_chunk(store, key, 0, RUN, 1, connect)
    assert faulty.tried == tried
    faulty.fault = answers(500, {"error": {"message": "x"}})
    with pytest.raises(Refused, match="and the cap is 8"):
        paint_chunk(store, key, 1, RUN, 1, connect)


def test_a_kept_frame_that_is_damaged_is_painted_again(
    store: FolderStore, clip: Path, faulty: Faulty, endpoint: Endpoint
) -> None:
    faulty.fault = lambda exchange: exchange.is_call and faulty.tried == 3 and answers(401, {"error": "x"})(exchange)
    with pytest.raises(AlgorithmiaError):
        painted(store, clip, endpoint)
    clear_scratch(store, RUN, lambda: endpoint)
    Path(store.address(next(iter(store.below("paid"))))).write_bytes(b"damaged")
    faulty.fault = None
    painted(store, clip, endpoint)
    assert len(faulty.painted()) == FRAMES + 1


def test_another_format_of_kept_frames_costs_nothing(store: FolderStore, clip: Path, endpoint, faulty: Faulty) -> None:
    painted(store, clip, endpoint, keep_painted=True, end="0.4")
    tried = faulty.tried
    key, _ = split(request(clip, quality=30, end="0.4", most_calls=0), store, "other", 2, 1, lambda: endpoint)
    assert begin_chunk(store, key, 0, "other", lambda: endpoint) == []
    paint_chunk(store, key, 0, "other", 1, lambda: endpoint)
    assert faulty.tried == tried


def test_what_cannot_be_deleted_is_named(store: FolderStore, clip: Path, faulty: Faulty, endpoint: Endpoint) -> None:
    faulty.fault = lambda exchange: exchange.is_call and answers(401, {"error": "x"})(exchange)
    with pytest.raises(AlgorithmiaError):
        painted(store, clip, endpoint)

    def no_deletion(exchange: Exchange) -> bool:
        deletes = exchange.handler.command == "DELETE"
        if deletes:
            exchange.send_json(403, {"error": {"message": "not authorized"}})
        return deletes

    faulty.fault = no_deletion
    with pytest.raises(
        Unavailable, match=r"could not be deleted at the endpoint: data://\.my/rotoscope-.*not authorized"
    ):
        clear_scratch(store, RUN, lambda: endpoint)


def test_a_directory_whose_making_was_answered_into_the_void_is_there(faulty: Faulty, endpoint: Endpoint) -> None:
    def lost(exchange: Exchange) -> bool:
        makes = exchange.handler.command == "POST"
        if makes:
            exchange.forward()
            exchange.send(200, b"", promised=10)
        return makes

    faulty.fault = once(lost)
    endpoint.data.make_directory("data://.my/rotoscope-lost")
    assert endpoint.data.exists("data://.my/rotoscope-lost")
