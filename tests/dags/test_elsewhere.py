"""The real DAG with its frames painted at the bundled Algorithmia server and its store in a bucket."""

import contextlib
import io
import json
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from airflow.sdk import DAG

from rotoscope.store.s3 import Bucket, S3Store
from tests.dags.conftest import HOME
from tests.media import frame_hashes
from tests.s3 import ACCESS, REGION, SECRET, S3Server, s3_server
from tests.sampling import one_in
from tests.serving import Server, algorithmia_server

pytestmark = pytest.mark.xdist_group("dags")
MODEL = "sea-mist"
KEY = "simPlantedKey"
"""Nobody else's, so that finding it anywhere is finding it leaked."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with algorithmia_server(tmp_path_factory.mktemp("server"), "--key", f"planted={KEY}") as running:
        yield running


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server("nanio", tmp_path_factory.mktemp("s3")) as running:
        for name in ("store", "inbox", "films"):
            running.client().create_bucket(Bucket=name)
        yield running


@pytest.fixture
def bucket(s3: S3Server, tmp_path: Path) -> S3Store:
    return S3Store(Bucket(s3.client(), "store", "rotoscope"), tmp_path)


@pytest.fixture
def connected(server: Server, s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow's connections: to the endpoint, to S3, and the store in a bucket there."""
    aws = {
        "endpoint_url": s3.url,
        "region_name": REGION,
        "config_kwargs": {"s3": {"addressing_style": "path"}, "signature_version": "s3v4"},
    }
    store = {**aws, "service_config": {"s3": {"bucket_name": "store", "prefix": "rotoscope"}}}
    connections = {
        "ALGORITHMIA_DEFAULT": {"conn_type": "algorithmia", "host": server.url, "password": KEY},
        "AWS_DEFAULT": {"conn_type": "aws", "login": ACCESS, "password": SECRET, "extra": aws},
        "ROTOSCOPE_STORE": {"conn_type": "aws", "login": ACCESS, "password": SECRET, "extra": store},
    }
    for name, fields in connections.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", json.dumps(fields))


def run_of(dag: DAG, **conf: object):
    """A run with this conf, whatever the one before it in the same test had."""
    return dag.test(run_conf={"model": None, "most_calls": None, "start": None, "end": None, **conf})


@pytest.fixture
def painted_here(dag: DAG, clip: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The frames that the local engine paints, by the same DAG."""
    fs = {"conn_type": "fs", "extra": {"path": str(tmp_path / "here")}}
    with monkeypatch.context() as here:
        here.setenv("AIRFLOW_CONN_ROTOSCOPE_STORE", json.dumps(fs))
        run_of(dag, source=str(clip), filter=MODEL, chunk_frames=30)
    (result,) = (tmp_path / "here").glob("results/*/*.mp4")
    return frame_hashes(result)


def video_of(run, store: S3Store, folder: Path) -> Path:
    objects = run.get_task_instance("assemble").xcom_pull(task_ids="assemble")
    with store.local(objects["video"]) as path:
        target = folder / "result.mp4"
        target.write_bytes(path.read_bytes())
    return target


@pytest.mark.parametrize("deferrable", [pytest.param(False, marks=pytest.mark.slow), True])
def test_frames_are_the_local_engines_bit_for_bit_and_no_secret_is_told(
    dag: DAG,
    bucket: S3Store,
    server: Server,
    connected: None,
    painted_here: list[str],
    clip: Path,
    tmp_path: Path,
    deferrable: bool,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bucket.delete("painted")
    bucket.delete("results")
    monkeypatch.setitem(dag.get_task("filter").partial_kwargs, "deferrable", deferrable)
    monkeypatch.setitem(dag.get_task("filter").partial_kwargs, "poll_seconds", 0.2)
    said = io.StringIO()
    with caplog.at_level(logging.DEBUG), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        run = run_of(dag, source=str(clip), filter="deepfilter", model=MODEL, chunk_frames=30, most_calls=40)
    assert str(run.state) == "success"
    assert frame_hashes(video_of(run, bucket, tmp_path)) == painted_here
    assert list((server.data / "users" / "planted").glob("rotoscope-*")) == [], "the endpoint is left as it was"
    assert list(bucket.below("runs")) == []
    everything = said.getvalue() + caplog.text + _database() + "".join(_texts(bucket)) + _logs()
    assert "deepfilter" in everything
    for secret in (KEY, SECRET, "X-Amz-Signature"):
        assert secret not in everything


def _database() -> str:
    """All that Airflow knows: XComs, rendered templates, trigger arguments."""
    with sqlite3.connect(HOME / "airflow.db") as database:
        return "\n".join(database.iterdump())


def _logs() -> str:
    return "".join(path.read_text(errors="replace") for path in HOME.glob("logs/**/*.log"))


def _texts(store: S3Store) -> Iterator[str]:
    for folder in ("plans", "cuts", "videos", "results", "painted", "spent"):
        for key in store.below(folder):
            if key.endswith(".json"):
                yield json.dumps(store.get_json(key))


def test_an_error_of_the_endpoint_fails_at_once_and_tells_no_key(
    dag: DAG, connected: None, clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_of(dag, source=str(clip), filter="deepfilter", model="aqua", end="0.2")
    filters = [task for task in run.get_task_instances() if task.task_id == "filter"]
    assert [(str(task.state), task.try_number) for task in filters] == [("failed", 1)]
    said = "".join(capsys.readouterr())
    assert "there is no filter 'aqua' on this server; the filters are:" in said
    assert KEY not in said


@pytest.mark.parametrize("scheme", one_in(2, ["s3", "data"]))
def test_sources_come_from_buckets_and_from_the_endpoint(
    dag: DAG, connected: None, s3: S3Server, server: Server, clip: Path, scheme: str
) -> None:
    s3.client().upload_file(str(clip), "inbox", "a b/clip.mp4")
    server.call("POST", "/v1/data/.my", key=KEY, json={"name": "films"})
    server.call("PUT", "/v1/data/.my/films/clip.mp4", key=KEY, data=clip.read_bytes())
    source = {"s3": "s3://inbox/a b/clip.mp4", "data": "data://.my/films/clip.mp4"}[scheme]
    run = run_of(dag, source=source, filter="identity", end="0.2")
    assert str(run.state) == "success"
    missing = run_of(dag, source=source.replace("clip", "none"), filter="identity")
    assert str(missing.get_task_instance("split").state) == "failed"
    assert missing.get_task_instance("split").try_number == 1


def test_videos_are_staged_in_when_they_arrive_and_results_published_once(
    connected: None, s3: S3Server, bucket: S3Store, clip: Path, dag: DAG
) -> None:
    from object_store.hook import ObjectStoreHook
    from object_store.operators import PublishOperator, StageInOperator

    with DAG("moving", schedule=None) as moving:
        staged = StageInOperator(task_id="stage_in", source="s3://inbox/late.mp4", wait_seconds=30, poll_seconds=0.2)
        PublishOperator(
            task_id="publish",
            object_key="{{ 'videos/' + ti.xcom_pull('stage_in').removeprefix('video://') + '/source' }}",
            target="s3://films/painted/",
            metadata={"title": "A flight"},
        ).set_upstream(staged)
    s3.client().upload_file(str(clip), "inbox", "late.mp4")
    from airflow.sdk import Context

    context = Context(run_id="a-run")
    video = staged.execute(context)
    assert video.startswith("video://")
    assert staged.execute(context) == video
    publish = moving.get_task("publish")
    publish.object_key = f"videos/{video.removeprefix('video://')}/source"
    assert publish.execute(context) == publish.execute(context) == "s3://films/painted/source"
    facts = s3.client().head_object(Bucket="films", Key="painted/source")
    assert facts["Metadata"]["title"] == "A flight"
    link = ObjectStoreHook().download_link("s3://films/painted/source", 60)
    assert requests.get(link, timeout=10).content == clip.read_bytes()
    run = run_of(dag, source=video, filter="identity", end="0.2")
    assert str(run.state) == "success"
    name = run.get_task_instance("assemble").xcom_pull(task_ids="assemble")["video"]
    assert name.endswith("-identity.mp4")


def test_what_does_not_arrive_is_waited_for_without_a_worker(connected: None, s3: S3Server, clip: Path) -> None:
    import asyncio

    from airflow.sdk import Context
    from airflow.sdk.exceptions import AirflowFailException, TaskDeferred

    from object_store.operators import StageInOperator

    operator = StageInOperator(task_id="wait", source="s3://inbox/awaited.mp4", wait_seconds=1, poll_seconds=0.1)
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute(Context(run_id="a-run"))

    async def event() -> dict:
        return (await anext(deferred.value.trigger.run())).payload

    with pytest.raises(AirflowFailException, match=r"s3://inbox/awaited\.mp4 did not arrive within 1 s"):
        operator.execute_arrived(Context(run_id="a-run"), asyncio.run(event()))
    s3.client().upload_file(str(clip), "inbox", "awaited.mp4")
    assert asyncio.run(event()) == {"arrived": True}
    assert operator.execute_arrived(Context(run_id="a-run"), {"arrived": True}).startswith("video://")


def test_the_connection_is_known_to_airflow_and_can_be_tried(
    connected: None, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.providers_manager import ProvidersManager

    from algorithmia.hook import AlgorithmiaHook

    hook = ProvidersManager().hooks["algorithmia"]
    assert hook is not None
    assert hook.hook_class_name == "algorithmia.hook.AlgorithmiaHook"
    assert AlgorithmiaHook().test_connection() == (True, f"{server.url} knows this key as planted.")
    wrong = {"conn_type": "algorithmia", "host": server.url, "password": "wrong"}
    monkeypatch.setenv("AIRFLOW_CONN_ALGORITHMIA_DEFAULT", json.dumps(wrong))
    works, said = AlgorithmiaHook().test_connection()
    assert (works, said) == (False, "The endpoint says: authorization required")


def test_any_algorithm_can_be_called(connected: None) -> None:
    from airflow.sdk import Context
    from airflow.sdk.exceptions import AirflowFailException

    from algorithmia.operators import AlgorithmiaOperator

    echo = AlgorithmiaOperator(task_id="echo", algorithm="util/Echo", input={"a": ["{{ 1 + 1 }}"]})
    assert echo.execute(Context()) == {"a": ["{{ 1 + 1 }}"]}
    echo.algorithm = "util/None"
    with pytest.raises(AirflowFailException, match="algorithm algo://util/None not found"):
        echo.execute(Context())
