"""Every DAG can be loaded, found, run and understood by whoever is on call."""

import contextlib
import copy
import importlib.metadata
import json
from pathlib import Path

import jsonschema
import pytest
from pydantic import BaseModel

from rotoscope.batch.request import BatchRequest
from rotoscope.fields import users
from rotoscope.frames import FrameSetRequest
from rotoscope.housekeeping.request import HousekeepingRequest
from rotoscope.request import Request
from rotoscope.sheet import SheetRequest
from rotoscope.style import StyleRequest
from rotoscope.training.recipe import TrainRequest

CHECKOUT = Path(__file__).resolve().parents[2]
POOLS = json.loads((CHECKOUT / "include" / "pools.json").read_text())

pytestmark = pytest.mark.xdist_group("dags")  # one database for all of them


def test_no_import_errors(dag_bag) -> None:
    assert dag_bag.import_errors == {}
    assert set(dag_bag.dags) == {
        "rotoscope",
        "rotoscope_batch",
        "housekeeping",
        "contact_sheet",
        "create_filter",
        "train_filter",
        "register_video",
        "frame_set",
    }


def test_no_file_in_dags_or_plugins_shadows_a_package() -> None:
    installed = set(importlib.metadata.packages_distributions()) | {"rotoscope"}
    ours = {path.stem for folder in ("dags", "plugins") for path in (CHECKOUT / folder).iterdir()}
    assert ours & installed == set()


def test_dags_have_tags_an_owner_and_triage_notes(dag_bag) -> None:
    for dag in dag_bag.dags.values():
        assert dag.tags
        assert "fails" in dag.doc_md
        for task in dag.tasks:
            assert task.owner == "rotoscope"
            assert task.doc_md
            assert task.execution_timeout
            assert task.retries
            assert task.retry_exponential_backoff


def test_each_step_has_its_pool_and_queue(dag) -> None:
    for name in ("split", "filter", "assemble"):
        task = dag.get_task(name)
        assert task.pool == name
        assert task.queue == name
        assert name in POOLS
    assert POOLS["assemble"]["slots"] == 1


@pytest.mark.parametrize(("name", "task"), [("create_filter", "create"), ("contact_sheet", "sheet")])
def test_what_takes_seconds_goes_before_chunks_that_wait(dag_bag, dag, name: str, task: str) -> None:
    quick, chunk = dag_bag.dags[name].get_task(task), dag.get_task("filter")
    assert quick.pool == chunk.pool
    followers = len(chunk.get_flat_relative_ids(upstream=False))
    assert quick.priority_weight > chunk.priority_weight * (1 + followers), "Airflow adds that of what follows"


def test_clean_up_is_a_teardown_and_says_nothing_about_success(dag) -> None:
    task = dag.get_task("clean_up")
    assert task.is_teardown
    assert not task.on_failure_fail_dagrun
    assert task.upstream_task_ids == {"split", "filter", "assemble"}, "it waits for chunks that still paint"


@pytest.mark.parametrize(
    ("conf", "accepted"),
    [
        ({"source": "/videos/flight.mp4"}, True),
        (
            {
                "source": "a",
                "filter": "sea-mist",
                "strength": 0.5,
                "keep_colours": True,
                "start": "0:10",
                "end": "1:00",
            },
            True,
        ),
        ({"source": "a", "size": "720p", "fps": 25, "format": "mov", "chunk_frames": 24}, True),
        ({}, False),
        ({"source": "a", "filter": "a-filter-of-mine@2"}, True),
        ({"source": "a", "filter": 5}, False),
        ({"source": "a", "strength": 1.5}, False),
        ({"source": "a", "start": "noon"}, False),
        ({"source": "a", "fps": 0}, False),
        ({"source": "a", "size": "big"}, False),
        ({"source": "a", "format": "vhs"}, False),
        ({"source": "a", "chunk_frames": 1.5}, False),
    ],
)
def test_the_forms_schema_refuses_bad_values(dag, conf: dict, accepted: bool) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    params = copy.deepcopy(dag.params)
    with contextlib.nullcontext() if accepted else pytest.raises(ParamValidationError):
        params.update(conf)
        params.validate()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("rotoscope", Request),
        ("contact_sheet", SheetRequest),
        ("create_filter", StyleRequest),
        ("train_filter", TrainRequest),
        ("frame_set", FrameSetRequest),
        ("rotoscope_batch", BatchRequest),
        ("housekeeping", HousekeepingRequest),
    ],
)
def test_every_field_of_the_form_is_labelled_and_explained(dag_bag, name: str, kind: type[BaseModel]) -> None:
    dag = dag_bag.dags[name]
    assert set(dag.params) == set(users(kind))
    for name in dag.params:
        param = dag.params.get_param(name)
        assert param.schema["title"]
        assert param.description
        jsonschema.Draft202012Validator.check_schema(param.schema)


def test_what_has_a_default_may_be_left_empty_in_every_form(dag_bag) -> None:
    """The form does not trigger while a text is empty whose type is not nullable."""
    params = {(dag_id, name): dag.params.get_param(name) for dag_id, dag in dag_bag.dags.items() for name in dag.params}
    empty = {place: param for place, param in params.items() if param.value in ("", None)}
    stuck = {place for place, param in empty.items() if "null" not in param.schema["type"]}
    assert all(params[place].schema.get("minLength") for place in stuck), stuck
