"""The bundled server: its algorithms, its limits, and who may see what."""

import http.client
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from rotoscope import engines
from rotoscope.algorithmia.client import Client
from rotoscope.algorithmia.data import DataApi
from rotoscope.algorithmia.errors import BadInput, NotFound, TimedOut, TooManyCalls
from rotoscope.filters import catalogue
from rotoscope.media.source import open_source
from rotoscope.media.still import decode_picture, encode_picture
from tests.media import timestamps
from tests.serving import KEY, Server, algorithmia_server

FILTER = "lava-glow"


def picture(seed: int = 0, dtype: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, (48, 64, 3), dtype)


@pytest.fixture
def pictures(data: DataApi) -> list[str]:
    data.delete_directory("data://.my/pictures")
    data.make_directory("data://.my/pictures")
    uris = [f"data://.my/pictures/{number}.png" for number in range(3)]
    for number, uri in enumerate(uris):
        data.write(uri, encode_picture(picture(number), "png"))
    return uris


def test_deep_filter_paints_a_batch_as_our_own_engine_does(client: Client, data: DataApi, pictures: list[str]) -> None:
    targets = [uri.replace(".png", "-out.png") for uri in pictures]
    asked = {"images": pictures, "savePaths": targets, "filterName": FILTER}
    answer = client.call("algo://deeplearning/DeepFilter", asked)
    assert answer.result == {"savePaths": [uri.replace(".my", "me") for uri in targets]}
    assert answer.seconds > 0
    paint = engines.load(catalogue.get(FILTER), 1)
    for number, uri in enumerate(targets):
        assert np.array_equal(decode_picture(data.read(uri)), paint(picture(number)))


def test_deep_filter_knows_the_names_that_the_operator_gave(client: Client, pictures: list[str]) -> None:
    target = "data://.my/pictures/mapped.jpg"
    asked = {"images": pictures[:1], "savePaths": [target], "filterName": "space_pizza"}
    client.call("deeplearning/DeepFilter", asked)
    read = DataApi(client).read(target)
    assert Image.open(io.BytesIO(read)).format == "JPEG"


def test_deep_filter_keeps_sixteen_bits(client: Client, data: DataApi, pictures: list[str]) -> None:
    data.write(pictures[0], encode_picture(picture(7, np.uint16), "png"))
    asked = {"images": pictures[:1], "savePaths": pictures[1:2], "filterName": FILTER}
    client.call("deeplearning/DeepFilter", asked)
    assert decode_picture(data.read(pictures[1])).dtype == np.uint16


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"filterName": "aqua"}, f"no filter 'aqua' on this server; the filters are: .*{FILTER}"),
        ({"images": ["data://.my/pictures/none.png"]}, "Image/Url is invalid: data://.my/pictures/none.png"),
        ({"images": ["http://127.0.0.1:1/a.png"]}, "Image/Url is invalid"),
        ({"savePaths": []}, "of the same length"),
        ({"savePaths": ["data://.my/nowhere/a.png"]}, "directory nowhere not found"),
        ({"savePaths": ["data://other/pictures/a.png"]}, "not found"),
        ({"images": 7}, "images must be a list of URIs"),
    ],
)
def test_deep_filter_says_what_it_cannot_use(client: Client, pictures: list[str], changed: dict, said: str) -> None:
    asked = {"images": pictures[:1], "savePaths": ["data://.my/pictures/o.png"], "filterName": FILTER, **changed}
    with pytest.raises((BadInput, NotFound), match=said):
        client.call("deeplearning/DeepFilter", asked)


def test_video_transform_paints_every_frame(client: Client, data: DataApi, clip: Path, tmp_path: Path) -> None:
    data.make_directory("data://.my/films")
    data.write("data://.my/films/clip.mp4", clip.read_bytes())
    asked = {
        "input_file": "data://.my/films/clip.mp4",
        "output_file": "data://.my/films/painted.mp4",
        "algorithm": "algo://deeplearning/DeepFilter",
        "advanced_input": {"images": ["$SINGLE_INPUT"], "savePaths": ["$SINGLE_OUTPUT"], "filterName": FILTER},
    }
    answer = client.call("media/VideoTransform", asked)
    painted = tmp_path / "painted.mp4"
    painted.write_bytes(data.read("data://.my/films/painted.mp4"))
    assert answer.result["frames"] == 48
    assert timestamps(painted) == timestamps(clip)
    assert open_source(painted, tmp_path)[0].video.sound
    assert [one.name for one in data.list("data://.algo/media/VideoTransform/temp")] == []
    for changed, said in (
        ({"output_file": "data://.my/films/a.xyz"}, "must end in one of"),
        ({"advanced_input": {"images": []}}, "advanced_input is not usable"),
        ({"input_file": "data://.my/films/none.mp4"}, "not found"),
    ):
        with pytest.raises((BadInput, NotFound), match=said):
            client.call("media/VideoTransform", {**asked, **changed})


def test_videos_are_described_and_their_scenes_found(client: Client, data: DataApi, clip: Path) -> None:
    data.make_directory("data://.my/films")
    data.write("data://.my/films/clip.mp4", clip.read_bytes())
    facts = client.call("media/VideoMetadataExtraction", {"video": "data://.my/films/clip.mp4"}).result
    assert {stream["codec_type"] for stream in facts["streams"]} == {"video", "audio"}
    assert "/tmp" not in str(facts)
    scenes = client.call("media/SceneDetection", {"video": "data://.my/films/clip.mp4"}).result["scenes"]
    assert scenes[0]["start_time"] == 0
    assert scenes[-1]["end_time"] == pytest.approx(48 / 25)
    data.write("data://.my/films/clip.mp4", b"no video")
    for name in ("media/VideoMetadataExtraction", "media/SceneDetection"):
        with pytest.raises(BadInput, match="not a video"):
            client.call(name, {"video": "data://.my/films/clip.mp4"})


@pytest.mark.parametrize("key", [f"Simple {KEY}", KEY, f"Bearer {KEY}", f"simple  {KEY}"])
def test_each_form_of_a_key_is_taken(server: Server, key: str) -> None:
    assert server.call("POST", "/v1/algo/util/Echo", key, json=1).json()["result"] == 1


@pytest.mark.parametrize("key", [None, "Simple wrong", "Simple ", "Basic c2lt"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/algo/util/Echo"),
        ("GET", "/v1/data/.my"),
        ("PUT", "/v1/data/.my/a/b"),
        ("GET", "/v1/connector/file/"),
    ],
)
def test_no_route_is_open_without_a_key(server: Server, key: str | None, method: str, path: str) -> None:
    answer = server.call(method, path, key)
    assert (answer.status_code, answer.json()) == (401, {"error": {"message": "authorization required"}})


@pytest.mark.parametrize(
    "path",
    [
        "/v1/data/.my/../other/x",
        "/v1/data/.my/%2e%2e/%2e%2e/.slots/me-0",
        "/v1/data/.my/.access/a.json",
        "/v1/connector/file/..%2f..%2fetc/passwd",
        "/v1/data/file:///../x",
        "/v1/data/.my/a%00b/c",
        "/v1/data/.my/a/b/c",
        "/v1/data/nobody/a/b",
        "/v1/data/dropbox://a/b",
        "/v1/nothing",
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_no_path_leaves_its_place(server: Server, path: str, method: str) -> None:
    # By hand, since other clients tidy paths up before they send them.
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    connection.request(method, path, b"x" if method == "PUT" else None, {"Authorization": KEY})
    answer = connection.getresponse()
    assert answer.status in (400, 404, 405)
    assert json.loads(answer.read())["error"]["message"]


def test_a_connector_is_another_place_for_the_same_requests(server: Server, data: DataApi) -> None:
    uri = "file://album/a b+c.png"
    data.make_directory("file://album")
    data.write(uri, b"x")
    assert data.read(uri) == b"x"
    assert server.call("GET", "/v1/data/file://album/a%20b+c.png").content == b"x"
    assert [one.name for one in data.list("file://album")] == ["a b+c.png"]
    with pytest.raises(NotFound, match="connector s3\\+x not found; there are: file"):
        data.read("s3+x://bucket/key")
    data.delete_directory("file://album")
    assert not data.exists("file://album")


def test_a_collection_that_is_made_again_is_not_public_again(server: Server, data: DataApi) -> None:
    other = DataApi(Client(server.url, "otherKEY"))
    data.make_directory("data://.my/reborn", "public")
    data.write("data://.my/reborn/a", b"x")
    assert other.read("data://me/reborn/a") == b"x"
    data.delete_directory("data://.my/reborn")
    server.call("POST", "/v1/data/.my", json={"name": "reborn"})
    data.write("data://.my/reborn/a", b"x")
    assert not other.exists("data://me/reborn/a")


@pytest.mark.parametrize("keys", [["me="], ["="], ["simKEY="], ["a", "b"], ["a/b=c"]])
def test_no_server_starts_with_keys_that_are_none(tmp_path: Path, keys: list[str]) -> None:
    options = [part for key in keys for part in ("--key", key)]
    start = [sys.executable, "-m", "algorithmia_server", "--data", str(tmp_path), *options]
    done = subprocess.run(start, capture_output=True, text=True)
    assert done.returncode == 2
    assert "a key is KEY or USER=KEY" in done.stderr


def test_what_is_too_large_is_refused(server: Server) -> None:
    answer = server.algo("util/Echo", data=b"x" * (10 * 2**20 + 1))
    assert "larger than" in answer["error"]["message"]
    assert server.algo("util/Echo", data=b"{", headers={"Content-Type": "application/json"})["error"]["error_type"] == (
        "ParsingError"
    )


def test_calls_beyond_the_limit_are_refused_over_all_processes(tmp_path: Path, clip: Path) -> None:
    with algorithmia_server(tmp_path, "--workers", "2", "--calls-at-once", "1") as server:
        client = Client(server.url, KEY)
        data = DataApi(client)
        data.make_directory("data://.my/films")
        data.write("data://.my/films/clip.mp4", clip.read_bytes())
        asked = {
            "input_file": "data://.my/films/clip.mp4",
            "output_file": "data://.my/films/painted.mp4",
            "algorithm": "deeplearning/DeepFilter",
        }
        assert client.call("media/VideoTransform", asked, output="void").result is None
        for _ in range(8):
            with pytest.raises(TooManyCalls, match="max number of active calls per session"):
                client.call("util/Echo", 1)
        assert Client(server.url, "otherKEY").call("util/Echo", 1).result == 1
        while not data.read("data://.my/films/painted.mp4"):
            time.sleep(0.1)
        while True:
            try:
                assert client.call("util/Echo", 1).result == 1
                break
            except TooManyCalls:
                time.sleep(0.1)
        with pytest.raises(TimedOut, match="longer than 1 s"):
            client.call("media/VideoTransform", asked, timeout=1)
        assert (
            'algorithmia_calls_total{algorithm="util/echo",outcome="result"} 2.0' in server.call("GET", "/metrics").text
        )


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_that_is_ended_leaves_nothing_in_the_temporary_folder(tmp_path: Path, workers: str) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with algorithmia_server(tmp_path, "--workers", workers, env={**os.environ, "TMPDIR": str(temporary)}):
        assert any(temporary.iterdir())
    assert not any(temporary.iterdir())
