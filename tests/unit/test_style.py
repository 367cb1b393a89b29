"""A filter from one picture: the network for any size, the document, the versions, and what is refused."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rotoscope.engines import Computing, arbitrary, load, onnx
from rotoscope.errors import Refused, RotoscopeError
from rotoscope.filters import catalogue
from rotoscope.filters.catalogue import Filter, Weights
from rotoscope.frames import FrameSetRequest
from rotoscope.request import Request
from rotoscope.sheet import SheetRequest
from rotoscope.steps.create import create_filter
from rotoscope.store import keys
from rotoscope.store.filters import delete, finder, retire
from rotoscope.store.filters import made as filters_made
from rotoscope.store.folder import FolderStore
from rotoscope.style import PACK, StyleRequest, filter_of, read_picture

WEIGHTS = Weights(**json.loads(PACK.read_text())["filter"]["weights"])


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    return drawn(tmp_path / "picture.png", 1)


def drawn(path: Path, seed: int, size: tuple[int, int] = (160, 120)) -> Path:
    """A picture of coloured stripes and noise."""
    random = np.random.default_rng(seed)
    stripes = np.sin(np.arange(size[0]) / (3 + seed))[None, :, None] * random.uniform(40, 120, 3)
    noise = random.normal(128, 30, (size[1], size[0], 3))
    Image.fromarray(np.clip(stripes + noise, 0, 255).astype(np.uint8)).save(path)
    return path


def made(path: Path, name: str = "stripes") -> Filter:
    return filter_of(*read_picture(path, path.name), name)


def create(store: FolderStore, picture: Path | str, name: str = "stripes", sentence: str = "") -> dict[str, str]:
    request = StyleRequest.parse({"picture": str(picture), "name": name, "sentence": sentence})
    return create_filter(request, store, "a run")


def test_network_is_that_of_the_pack(picture: Path) -> None:
    """At the one size that the pack's own takes; its 8 bits are what is left of a difference."""
    filter = made(picture)
    frame = np.asarray(Image.open(drawn(picture.with_name("frame.png"), 5, (384, 384))))
    vector = np.array(filter.parameters["vector"], np.float32).reshape(1, 1, 1, 100)
    model = onnx.read(WEIGHTS)
    content = frame[None] / np.float32(255)
    inputs = [content if one.any_name == "content_image" else vector for one in model.inputs]
    # OpenVINO fails on it in bfloat16, which is what it takes by itself on processors that have it.
    theirs = onnx.openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(inputs)[0][0]
    ours = load(filter, 2)(frame) / 255
    assert np.abs(ours - theirs).mean() < 0.05
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("size", [(640, 360), (97, 33), (32, 32)])
def test_paints_any_size(picture: Path, size: tuple[int, int]) -> None:
    paint = load(made(picture), 2)
    frame = np.asarray(Image.open(drawn(picture.with_name("frame.png"), 2, size)))
    painted = paint(frame)
    assert painted.shape == frame.shape
    assert painted.dtype == np.uint8
    assert painted.std() > 5
    deep = paint(frame.astype(np.uint16) * 257)
    assert np.abs(deep / 257 - painted).max() <= 1


def test_another_picture_paints_otherwise_and_a_blend_lies_between(picture: Path) -> None:
    one, two = made(picture), made(drawn(picture.with_name("two.png"), 9), "dots")
    frame = np.asarray(Image.open(picture))
    first, second, both = (load(filter, 2)(frame).astype(float) for filter in (one, two, one.blended(two, 0.5)))
    apart = np.abs(first - second).mean()
    assert apart > 2
    assert np.abs(first - both).mean() < apart
    assert np.abs(second - both).mean() < apart
    assert one.blended(two, 0.0).parameters["vector"] == pytest.approx(one.parameters["vector"])


def test_no_blend_with_another_network(picture: Path) -> None:
    with pytest.raises(Refused, match=r"cannot be blended.*blends with filters that were made of a picture"):
        made(picture).blended(finder(FolderStore(picture.parent))("sea-mist"), 0.5)


def test_a_filter_without_its_vector_is_no_filter(picture: Path) -> None:
    with pytest.raises(RotoscopeError, match="no vector"):
        arbitrary.load(made(picture).model_copy(update={"parameters": {}}), Computing(1))


def test_create_keeps_document_and_preview(store: FolderStore, picture: Path) -> None:
    created = create(store, picture, sentence="Stripes on noise.")
    assert created["filter"] == "stripes@1"
    filter = Filter.model_validate(store.get_json(created["document"]))
    assert (filter.name, filter.sentence, filter.engine) == ("stripes", "Stripes on noise.", "arbitrary")
    with store.local(created["preview"]) as path, Image.open(path) as preview:
        assert preview.height == 360
    assert not list(store.below(keys.run("a run")))


def test_same_picture_is_the_same_version_and_another_the_next(store: FolderStore, picture: Path) -> None:
    other = drawn(picture.with_name("other.jpg"), 4)
    references = [create(store, one)["filter"] for one in (picture, picture, other, picture)]
    assert references == ["stripes@1", "stripes@1", "stripes@2", "stripes@1"]
    find = finder(store)
    assert find("stripes").version == "2"
    assert find("stripes@1").version == "1"
    assert find("sea-mist") == find("sea-mist@1.0.0") == catalogue.get("sea-mist@1.0.0")
    assert Request.parse({"source": "a", "filter": "sea-mist@1.0.0"}, find).filter == "sea-mist"


def test_a_version_that_was_deleted_never_comes_back_as_another(store: FolderStore, picture: Path) -> None:
    create(store, picture)
    delete(store, "stripes")
    assert list(filters_made(store)) == []
    assert create(store, drawn(picture.with_name("other.jpg"), 4))["filter"] == "stripes@2"
    with pytest.raises(Refused, match="There is no filter 'stripes@1'; choose one of stripes@2"):
        finder(store)("stripes@1")
    for _ in range(2):
        delete(store, "stripes")
    assert create(store, picture)["filter"] == "stripes@3"


def test_a_retired_filter_gets_no_new_version(store: FolderStore, picture: Path) -> None:
    create(store, picture)
    retire(store, "stripes")
    with pytest.raises(Refused, match="stripes is retired; choose another name"):
        create(store, drawn(picture.with_name("other.jpg"), 4))
    assert finder(store)("stripes@1").name == "stripes", "for what was painted with it"


@pytest.mark.parametrize("name", ["strpes", "stripes@7", "stripes@01", "stripes@", "../videos", "sea-mist@1", ""])
def test_unknown_filter_is_refused(store: FolderStore, picture: Path, name: str) -> None:
    create(store, picture)
    create(store, picture, name="acme.secret")
    wanted = {"stripes@7": "stripes@1", "sea-mist@1": r"sea-mist@1\.0\.0"}
    with pytest.raises(Refused, match=f"There is no filter .*; choose one of .*{wanted.get(name, 'stripes')}"):
        finder(store)(name)
    with pytest.raises(Refused) as refused:
        finder(store)("nope")
    assert "acme" not in str(refused.value), "what a partner made is nobody's business"


def test_request_is_pinned_to_the_version_that_it_found(store: FolderStore, picture: Path) -> None:
    create(store, picture)
    request = Request.parse({"source": "film.mov", "filter": "stripes"}, finder(store))
    create(store, drawn(picture, 8))
    again = Request.model_validate_json(request.model_dump_json())
    assert again.filter == "stripes@1"
    assert again.texture.version == "1"
    assert request.texture.fingerprint()["parameters"]["vector"]
    sheet = SheetRequest.parse({"source": "film.mov", "filters": ["sea-mist", "stripes@1"]}, finder(store))
    assert sheet.names == ["sea-mist", "stripes@1"]
    assert sheet.find("stripes@1").engine == "arbitrary"


def test_a_filter_that_somebody_made_before_one_of_its_name_was_built_in_stays_theirs(
    store: FolderStore, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(store, picture)
    catalogues = {**catalogue.catalogue(), "stripes": catalogue.get("oil").model_copy(update={"name": "stripes"})}
    monkeypatch.setattr("rotoscope.filters.catalogue.catalogue", lambda: catalogues)
    request = Request.parse({"source": "a", "filter": "stripes@1"}, finder(store))
    assert (request.filter, request.texture.engine) == ("stripes@1", "arbitrary")


def test_frames_are_painted_with_a_filter_that_somebody_made(store: FolderStore, picture: Path) -> None:
    create(store, picture)
    request = FrameSetRequest.parse({"source": "film.mov", "filter": "stripes"}, finder(store))
    assert request.painting.texture.reference == "stripes@1"


def test_the_command_knows_the_filters_of_a_store(
    store: FolderStore, picture: Path, clip: Path, tmp_path: Path
) -> None:
    create(store, picture)

    def rotoscope(*arguments: object) -> str:
        command = [sys.executable, "-m", "rotoscope", *map(str, arguments), "--store", store.root]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert rotoscope("filters").splitlines()[-1].startswith("stripes ")
    rotoscope("sheet", clip, "-o", tmp_path / "sheet", "--filter", "stripes@1", "--at", "1")
    assert (tmp_path / "sheet" / "stripes@1-1.jpg").is_file()
    style = drawn(tmp_path / "other.jpg", 4)
    rotoscope("paint", clip, "-o", tmp_path / "out.mp4", "--style", style, "--blend", "stripes:0.5", "--end", "0.1")


def test_no_user_writes_documents(picture: Path) -> None:
    document = made(picture).model_dump(mode="json")
    with pytest.raises(Refused, match="documents is not a field"):
        Request.parse({"source": "film.mov", "filter": "stripes@1", "documents": [document]})


@pytest.mark.parametrize("name", ["Sea", "a--b", "-a", "a/b", "a@1", "", "x" * 61, "ünder"])
def test_bad_names_are_refused(name: str) -> None:
    with pytest.raises(Refused, match="no name for a filter"):
        StyleRequest.parse({"picture": "a.png", "name": name})


def test_built_in_name_is_refused(store: FolderStore, picture: Path) -> None:
    with pytest.raises(Refused, match="built in"):
        create(store, picture, "sea-mist")
    assert not list(store.below("filters"))


def hostile(path: Path, kind: str) -> Path:
    """A file that is no style."""
    if kind == "text":
        path.write_text("not a picture")
    elif kind == "empty":
        path.touch()
    elif kind == "1x1":
        Image.new("RGB", (1, 1)).save(path)
    elif kind == "bomb":
        Image.new("1", (20_000, 20_000)).save(path)
    elif kind == "cut off":
        whole = drawn(path, 3).read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "gif":
        Image.new("RGB", (64, 64)).save(path, "GIF")
    return path


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("text", "Give a PNG, JPEG or WebP"),
        ("empty", "is empty"),
        ("1x1", "too few for a texture"),
        ("bomb", "too many pixels"),
        ("cut off", "cut off"),
        ("gif", "Give a PNG, JPEG or WebP"),
        ("missing", "There is no file"),
    ],
)
def test_what_is_no_style_is_refused(store: FolderStore, tmp_path: Path, kind: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        create(store, hostile(tmp_path / "hostile.png", kind))
    assert not list(store.below("filters"))


@pytest.mark.parametrize("form", ["WEBP", "grey", "alpha", "deep", "palette"])
def test_pictures_of_every_kind(tmp_path: Path, form: str) -> None:
    path = tmp_path / "picture.png"
    image = Image.open(drawn(path, 6))
    converted = {"grey": "L", "alpha": "RGBA", "palette": "P"}
    if form == "WEBP":
        image.save(path, "WEBP")
    elif form == "deep":
        Image.fromarray(np.asarray(image)[..., 0].astype(np.uint16) * 257).save(path)
    else:
        image.convert(converted[form]).save(path)
    picture, _ = read_picture(path, path.name)
    assert picture.shape == (120, 160, 3)
    assert picture.dtype == np.uint8
