"""A filter is trained: it learns, goes on where it was killed, and paints the same as a file."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rotoscope import engines, training
from rotoscope.errors import Refused, RotoscopeError
from rotoscope.request import Request
from rotoscope.store import keys
from rotoscope.store.filters import at_hand, finder
from rotoscope.store.folder import FolderStore
from rotoscope.training.recipe import TrainRequest
from tests.learning import picture
from tests.media import frames_of, make_video
from tests.unit.test_steps import paint_all

pytestmark = pytest.mark.train
RUN = "manual__training"
TRAIN = """
import sys, json
from pathlib import Path
from rotoscope import training
from rotoscope.store.folder import FolderStore
from rotoscope.training.recipe import TrainRequest
request, store = TrainRequest.parse(json.loads(sys.argv[1])), FolderStore(Path(sys.argv[2]))
steps = training.steps()
steps.train(request, store, "killed", steps.prepare(request, store, "killed"))
"""


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


def trained(store: FolderStore, learning: dict, **other: object) -> tuple[TrainRequest, str]:
    request, steps = TrainRequest.parse({**learning, **other}), training.steps()
    digest = steps.prepare(request, store, RUN)
    steps.train(request, store, RUN, digest)
    return request, digest


def losses(store: FolderStore, digest: str) -> np.ndarray:
    return np.array(store.get_json(keys.training(digest, "losses.json")))


def test_it_learns_the_style_and_paints_with_it(store: FolderStore, learning: dict, tmp_path: Path) -> None:
    steps = training.steps()
    request, digest = trained(store, learning, steps=80)
    seen = losses(store, digest)
    assert seen[-4:, 2].mean() < 0.9 * seen[:2, 2].mean(), "closer to the style"
    assert len([*store.below(keys.training(digest, "samples"))]) == steps.STOPS
    made = steps.evaluate(request, store, RUN, digest, 2)
    evaluation = store.get_json(made["evaluation"])
    assert evaluation["style"] < 1
    assert evaluation["difference"] < 1 / 255
    with Image.open(store.address(made["sheet"])) as sheet:
        assert sheet.width > 1000
    published = steps.publish(request, store, RUN, digest)
    assert published["filter"] == "stripes@1"
    assert steps.publish(request, store, RUN, digest) == published
    clip = make_video(tmp_path / "clip.mkv", 6, size="96x64")
    asked = Request.parse({"source": str(clip), "filter": "stripes", "format": "mp4-lossless"}, finder(store))
    painted, _ = paint_all(store, asked)
    assert np.abs(frames_of(painted, (96, 64)).astype(int) - frames_of(clip, (96, 64))).mean() > 10
    (provenance,) = store.root.glob("results/*/provenance.json")
    recipe = json.loads(provenance.read_text())["filter"]["recipe"]
    assert recipe["paintings"][0]["name"] == "painting.png"
    assert recipe["steps"] == 80


def test_the_file_paints_what_was_trained_at_any_size(store: FolderStore, learning: dict) -> None:
    from rotoscope.training.trainer import Trainer

    steps = training.steps()
    request, digest = trained(store, learning, steps=20)
    steps.evaluate(request, store, RUN, digest, 2)
    steps.publish(request, store, RUN, digest)
    trainer = Trainer(request, [picture(9)], [picture(0)])
    (state,) = store.root.glob(f"trainings/{digest}/states/*.pt")
    trainer.restore(state.read_bytes())
    asked = Request.parse({"source": "a.mp4", "filter": "stripes"}, finder(store))
    with at_hand(asked, store) as ready:
        paint = engines.load(ready.texture, 2)
        for size in ((64, 64), (148, 96), (320, 180)):
            frame = picture(5, size)
            assert np.abs(paint(frame).astype(int) - trainer.paint(frame)).mean() < 1


def test_training_that_was_killed_goes_on_where_it_was(store: FolderStore, learning: dict, tmp_path: Path) -> None:
    """With the same pictures at the same steps, so that its losses are those of a training that nobody killed."""
    _, whole = trained(FolderStore(tmp_path / "whole"), learning)
    request = TrainRequest.parse(learning)
    command = [sys.executable, "-c", TRAIN, json.dumps(request.model_dump()), str(store.root)]
    child = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": "include"})
    states = store.root / "trainings" / whole / "states"
    while not any(int(path.stem) >= 10 for path in states.glob("*.pt")):
        assert child.poll() is None, "it was to be killed on its way"
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    reached = max(int(path.stem) for path in states.glob("*.pt"))
    assert 10 <= reached < 40
    before = losses(store, whole)
    training.steps().train(request, store, RUN, whole)
    after = losses(store, whole)
    assert after[-1, 0] == 40
    assert np.array_equal(after[: reached // 2], before[: reached // 2]), "nothing was done again"
    assert np.allclose(after, losses(FolderStore(tmp_path / "whole"), whole), rtol=0.2, atol=0.02)


def test_what_is_not_trained_to_the_end_is_not_published(store: FolderStore, learning: dict) -> None:
    request, steps = TrainRequest.parse(learning), training.steps()
    digest = steps.prepare(request, store, RUN)
    with pytest.raises(RotoscopeError, match="Only 0 of 40 steps are trained"):
        steps.evaluate(request, store, RUN, digest, 2)


def test_a_training_that_is_behind_leaves_the_states_of_one_that_is_ahead(store: FolderStore, learning: dict) -> None:
    request, digest = trained(store, learning, steps=10)
    (ahead,) = store.root.glob(f"trainings/{digest}/states/*.pt")
    kept = ahead.read_bytes()
    ahead.unlink()  # as for who began before it was there
    training.steps().train(request, store, RUN, digest, lambda done, total: done == 1 and ahead.write_bytes(kept))
    assert ahead.read_bytes() == kept


def test_training_that_is_done_is_not_done_again(store: FolderStore, learning: dict) -> None:
    request, digest = trained(store, learning, steps=10)
    (state,) = store.root.glob(f"trainings/{digest}/states/*.pt")
    written = state.stat().st_mtime_ns
    training.steps().train(request, store, RUN, digest)
    assert state.stat().st_mtime_ns == written


def test_videos_and_pictures_are_content(store: FolderStore, learning: dict, tmp_path: Path) -> None:
    from rotoscope.training.prepared import unpacked

    clip = make_video(tmp_path / "clip.mp4", 48, size="160x120")
    Image.fromarray(picture(4)).save(tmp_path / "one.jpg")
    request = TrainRequest.parse({**learning, "content": [str(clip), str(tmp_path / "one.jpg")]})
    digest = training.steps().prepare(request, store, RUN)
    paintings, photos = unpacked(Path(store.address(keys.training(digest, "prepared.zip"))))
    assert len(paintings) == 1
    assert len(photos) == 25
    assert photos[0].shape == (120, 160, 3)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"styles": ["nowhere.jpg"]}, "There is no file nowhere.jpg"),
        ({"content": ["tiny.png"]}, "has 20x20 pixels, too few for a texture"),
        ({"content": ["narrow.png"]}, "Picture 1 of narrow.png has 300x70 pixels, too few for crops of 64"),
        ({"content": ["empty"]}, "The folder empty holds no PNG, JPEG or WebP picture"),
        ({"content": ["text.txt"]}, "text.txt is not a video"),
        ({"styles": ["ribbon.png"]}, "ribbon.png is too narrow"),
        ({"vgg": "empty.npz"}, "does not hold the arrays conv1_1.weight"),
        ({"vgg": "text.npz"}, "does not hold the arrays conv1_1.weight"),
        ({"vgg": "text.pth"}, "is no file of PyTorch weights"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(
    store: FolderStore, learning: dict, tmp_path: Path, change: dict, says: str
) -> None:
    Image.new("RGB", (20, 20)).save(tmp_path / "tiny.png")
    Image.new("RGB", (300, 70)).save(tmp_path / "narrow.png")
    Image.new("RGB", (4000, 40)).save(tmp_path / "ribbon.png")
    (tmp_path / "empty.npz").touch()
    (tmp_path / "empty").mkdir()
    for name in ("text.txt", "text.npz", "text.pth"):
        (tmp_path / name).write_text("nothing of that kind")
    placed = {name: _placed(value, tmp_path) for name, value in change.items()}
    with pytest.raises(Refused, match=says):
        training.steps().prepare(TrainRequest.parse({**learning, **placed}), store, RUN)
    assert not list(store.below("trainings"))


def _placed(value: object, folder: Path) -> object:
    if isinstance(value, list):
        return [_placed(one, folder) for one in value]
    return str(folder / str(value)) if (folder / str(value)).exists() else value


def test_a_file_that_paints_something_else_is_not_published(store: FolderStore, learning: dict) -> None:
    request, digest = trained(store, learning, steps=10)
    store.put_json(keys.training(digest, "evaluation.json"), {"difference": 0.01})
    with pytest.raises(RotoscopeError, match="paints other pictures than what was trained"):
        training.steps().publish(request, store, RUN, digest)
    assert not list(store.below("filters"))


def test_torchvisions_own_file_is_read_too(learning: dict, tmp_path: Path) -> None:
    import torch

    from rotoscope.training.losses import NAMES, TORCHVISION, load_vgg

    with np.load(str(learning["vgg"])) as arrays:
        named = {
            f"features.{place}.{kind}": torch.from_numpy(arrays[f"{name}.{kind}"]).float()
            for name, place in zip(NAMES, TORCHVISION, strict=True)
            for kind in ("weight", "bias")
        }
    torch.save({**named, "classifier.0.weight": torch.zeros(2, 2)}, tmp_path / "vgg16.pth")
    loaded = load_vgg(str(tmp_path / "vgg16.pth"), torch.device("cpu"))
    features = loaded.features(torch.rand(1, 3, 64, 64))
    assert [tuple(one.shape) for one in features] == [
        (1, 64, 64, 64),
        (1, 128, 32, 32),
        (1, 256, 16, 16),
        (1, 512, 8, 8),
    ]
