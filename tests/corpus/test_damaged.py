"""The corpus damaged: every file ends in a correct result or in a refusal, in its time, and never silently.

`make test-slow` runs this with all of the corpus; it takes longer than `make test` may.
"""

import random
import time
from pathlib import Path

import pytest

from rotoscope.errors import Refused
from rotoscope.store.folder import FolderStore
from tests.corpus.cases import CODECS, Case, make
from tests.corpus.test_corpus import rotoscope
from tests.media import timestamps

SECONDS = 60
"""No damaged file of forty frames takes longer, on however busy a machine."""
CUTS = 16
FLIPS = 6

pytestmark = pytest.mark.slow


def outcome(source: Path, store: FolderStore) -> str:
    """`painted` or `refused`; anything else is a failure of the test."""
    start = time.monotonic()
    try:
        result, video, manifest = rotoscope(store, source, format="mp4")
    except Refused as refusal:
        said = str(refusal)
    else:
        said = ""
    assert time.monotonic() - start < SECONDS
    if said:
        assert "\n" not in said
        assert str(source.parent) not in said
        return "refused"
    assert len(timestamps(result)) == video.frames == manifest["frames"]
    return "painted"


@pytest.mark.parametrize("case", CODECS, ids=lambda case: case.name)
def test_a_truncated_file_is_painted_as_far_as_it_goes_or_refused(
    case: Case, tmp_path: Path, store: FolderStore
) -> None:
    whole = make(case, tmp_path).read_bytes()
    for part in range(CUTS):
        path = tmp_path / f"{part}.{case.container}"
        path.write_bytes(whole[: len(whole) * part // CUTS])
        assert outcome(path, store) == "refused" or part > 0


@pytest.mark.parametrize("case", CODECS, ids=lambda case: case.name)
def test_a_file_with_flipped_bits_is_painted_or_refused(case: Case, tmp_path: Path, store: FolderStore) -> None:
    whole = make(case, tmp_path).read_bytes()
    for seed in range(FLIPS):
        chance = random.Random(seed)
        damaged = bytearray(whole)
        for _ in range(1 + len(whole) // 20_000):
            damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        path = tmp_path / f"{seed}.{case.container}"
        path.write_bytes(damaged)
        outcome(path, store)


@pytest.mark.parametrize("extension", ["mp4", "mkv", "avi", "ts", "gif", "txt", "", "m3u8", "png"])
@pytest.mark.parametrize("name", ["h264-mp4", "vp9-webm", "mpeg4-avi", "h264-ts"])
def test_the_extension_does_not_matter(name: str, extension: str, tmp_path: Path, store: FolderStore) -> None:
    (case,) = [one for one in CODECS if one.name == name]
    path = make(case, tmp_path)
    assert outcome(path.rename(tmp_path / f"renamed.{extension}"), store) == "painted"
