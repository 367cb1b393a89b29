"""Fixtures for all tests: a clip with sound and a store in a fresh folder."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rotoscope.limits import limits
from rotoscope.store.folder import FolderStore
from tests.learning import small_training
from tests.media import make_video


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of a group share a server; where pytest-xdist loses the groups each worker would start one."""
    if getattr(config.option, "loadgroup", False):
        lost = [item.nodeid for item in items if item.get_closest_marker("xdist_group") and "@" not in item.nodeid]
        assert not lost, f"{lost[0]} is in no group; this pytest and this pytest-xdist do not go together"


@pytest.fixture
def set_limit(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """A function that sets a limit (FETCH_BYTES and the like) from the environment, for one test."""

    def set_(name: str, value: str) -> None:
        monkeypatch.setenv(f"ROTOSCOPE_{name}", value)
        limits.cache_clear()

    yield set_
    monkeypatch.undo()
    limits.cache_clear()


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
