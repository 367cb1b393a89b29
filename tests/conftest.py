"""Fixtures for all tests: a clip with sound and a store in a fresh folder."""

from pathlib import Path

import pytest

from rotoscope.store.folder import FolderStore
from tests.learning import small_training
from tests.media import make_video


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 frames of 160x90 with B-frames, a key frame every 12, and sound."""
    return make_video(tmp_path_factory.mktemp("media") / "clip.mp4")


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


@pytest.fixture(scope="session")
def learning(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """The fields of a request for a small training."""
    return small_training(tmp_path_factory.mktemp("learning"))
