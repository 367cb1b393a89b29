"""The real DAG, run in this process by `dag.test()`, with real ffmpeg and the real model."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.dags.conftest import STORE
from tests.media import frame_hashes, sound_hash, timestamps
from tests.sampling import one_in

pytestmark = pytest.mark.xdist_group("dags")  # one database for all of them


def states(run) -> dict[tuple[str, int], str]:
    return {(task.task_id, task.map_index): str(task.state) for task in run.get_task_instances()}


def results(name: str) -> list[Path]:
    return sorted(STORE.glob(f"results/*/{name}"), key=lambda path: path.stat().st_mtime)


def test_a_clip_is_painted(dag, clip: Path) -> None:
    run = dag.test(run_conf={"source": str(clip), "filter": "sea-mist", "chunk_frames": 20})
    assert states(run) == {
        ("split", -1): "success",
        ("filter", 0): "success",
        ("filter", 1): "success",
        ("filter", 2): "success",
        ("assemble", -1): "success",
        ("clean_up", -1): "success",
    }
    labels = {task.rendered_map_index for task in run.get_task_instances() if task.task_id == "filter"}
    assert labels == {"00:00-00:00, 20 frames", "00:00-00:01, 20 frames", "00:01-00:01, 8 frames"}
    result = results("clip-sea-mist.mp4")[-1]
    assert timestamps(result) == timestamps(clip)
    assert sound_hash(result) == sound_hash(clip)
    assert not set(frame_hashes(result)) & set(frame_hashes(clip))
    assert {path.name for path in result.parent.iterdir()} >= {
        "poster.jpg",
        "before_after.jpg",
        "manifest.json",
        "provenance.json",
    }
    assert not list(STORE.glob("runs/*")), "the scratch of the run is gone"


def test_xcoms_hold_references_only(dag, clip: Path) -> None:
    run = dag.test(run_conf={"source": str(clip), "filter": "identity", "chunk_frames": 12})
    chunks = run.get_task_instance("split").xcom_pull(task_ids="split")
    assert len(chunks) == 4
    assert all(set(chunk) == {"plan", "index", "frames", "label"} for chunk in chunks)


UNSEEN: dict[str, tuple[object, dict, str]] = {
    "missing": (None, {}, "There is no file"),
    "empty": (b"", {}, "is empty (0 bytes)"),
    "text": (b"Dear diary", {}, "is not a video that can be read"),
    "part beyond the end": ("clip", {"start": "1:00"}, "has no frame from 60 s to its end"),
    "empty part": ("clip", {"start": "2", "end": "1"}, "The part from 2 to 1 is empty"),
    "filter": ("clip", {"filter": "nope"}, "There is no filter 'nope'; choose one of"),
    "fade": ("clip", {"fade_to": ["oil", "nope:0.5"]}, "There is no filter 'nope'; choose one of"),
    "mask": ("clip", {"mask": "/nowhere/mask.png"}, "There is no file /nowhere/mask.png"),
    "box": ("clip", {"mask": "50,50,60,60"}, "The mask 50,50,60,60 is no box within a frame"),
}


@pytest.mark.parametrize("name", one_in(4, UNSEEN))
def test_what_the_form_cannot_see_fails_in_split_at_once(
    dag, clip: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    content, conf, says = UNSEEN[name]
    source = clip if content == "clip" else tmp_path / "source.mp4"
    if isinstance(content, bytes):
        source.write_bytes(content)
    run = dag.test(run_conf={"source": str(source), **conf})
    split = run.get_task_instance("split")
    assert str(split.state) == "failed"
    assert split.try_number == 1, "a refusal is not tried again"
    assert states(run)["assemble", -1] == "upstream_failed"
    assert str(run.state) == "failed"
    assert says in "".join(capfd.readouterr())


def test_everything_at_once_works_through_conf(dag, clip: Path, tmp_path: Path) -> None:
    mask = tmp_path / "mask.png"
    Image.fromarray(np.tile(np.linspace(0, 255, 160, dtype=np.uint8), (90, 1))).save(mask)
    conf = {
        "filter": "sea-mist",
        "blend": ["lava-glow:0.5", "terracotta"],
        "then": ["oil:0.4"],
        "fade_to": ["starlit-swirl", "pencil:0.2"],
        "fade_start": "0.2",
        "fade_end": "1",
        "scale": 1.5,
        "mask": str(mask),
        "mask_feather": 4,
        "mask_invert": True,
        "steady": 0.7,
        "half": True,
        "keep_colours": True,
        "chunk_frames": 20,
    }
    run = dag.test(run_conf={"source": str(clip), **conf})
    assert run.state == "success"
    result = run.get_task_instance("assemble").xcom_pull(task_ids="assemble")
    assert timestamps(STORE / result["video"]) == timestamps(clip)
    record = json.loads((STORE / result["provenance"]).read_text())
    assert record["request"]["mask"].startswith("mask://")
    assert [one["name"] for one, _ in record["later_layers"]] == ["starlit-swirl", "pencil"]


def test_a_contact_sheet_is_painted_once(dag_bag, clip: Path) -> None:
    sheet = dag_bag.dags["contact_sheet"]
    conf = {"source": str(clip), "filters": ["sea-mist", "lava-glow"], "at": ["0", "1.5"]}
    made = sheet.test(run_conf=conf).get_task_instance("sheet").xcom_pull(task_ids="sheet")
    page, picture = (STORE / made[kind] for kind in ("page", "sheet"))
    assert {path.name for path in page.parent.iterdir()} == {
        page.name,
        picture.name,
        *(f"{name}-{number}.jpg" for name in ("source", "sea-mist", "lava-glow") for number in (1, 2)),
    }
    before = page.stat().st_mtime_ns
    assert states(sheet.test(run_conf=conf)) == {("sheet", -1): "success", ("clean_up", -1): "success"}
    assert page.stat().st_mtime_ns == before
    assert not list(STORE.glob("runs/*"))


def test_a_filter_is_made_of_a_picture_and_paints(dag_bag, dag, clip: Path, tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    random = np.random.default_rng(3).integers(0, 256, (96, 96, 3), np.uint8)
    Image.fromarray(random).save(picture)
    create = dag_bag.dags["create_filter"]
    conf = {"picture": str(picture), "name": "grain"}
    made = create.test(run_conf=conf).get_task_instance("create").xcom_pull(task_ids="create")
    assert made["filter"] == "grain@1"
    assert (STORE / made["preview"]).is_file()
    run = dag.test(
        run_conf={"source": str(clip), "filter": "grain", "blend": ["grain@1"], "then": ["grain:0.5"], "size": "240p"}
    )
    assert run.state == "success"
    result = run.get_task_instance("assemble").xcom_pull(task_ids="assemble")
    record = json.loads((STORE / result["provenance"]).read_text())
    assert record["request"]["filter"] == "grain@1"
    assert record["filter"]["engine"] == "arbitrary"
    assert [(one["name"], strength) for one, strength in record["layers"]] == [("grain + grain", 1), ("grain", 0.5)]
    assert json.loads((STORE / made["document"]).read_text())["parameters"]["vector"]


@pytest.mark.train
def test_a_filter_is_trained_and_paints(dag_bag, dag, clip: Path, learning: dict) -> None:
    train = dag_bag.dags["train_filter"]
    run = train.test(run_conf={**learning, "steps": 20})
    assert run.state == "success"
    published = run.get_task_instance("publish").xcom_pull(task_ids="publish")
    assert published["filter"] == "stripes@1"
    assert not list(STORE.glob("runs/*"))
    assert dag.test(run_conf={"source": str(clip), "filter": "stripes", "size": "240p"}).state == "success"
    refused = train.test(run_conf={**learning, "styles": ["nowhere.png"]})
    assert refused.get_task_instance("prepare").try_number == 1
    assert str(refused.state) == "failed"
