"""Split, paint, assemble over a store, without Airflow: equal to the reference, resumable, nothing done twice."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from rotoscope import reference
from rotoscope.errors import Mismatch, Refused
from rotoscope.painting import Workshop
from rotoscope.request import Request
from rotoscope.steps.assemble import assemble
from rotoscope.steps.paint import paint_chunk
from rotoscope.steps.split import split
from rotoscope.store import keys
from rotoscope.store.folder import FolderStore
from tests.media import duration, frame_hashes, make_video, sound_hash, timestamps
from tests.sampling import one_in

RUN = "manual__2026-11-23T12:00:00+00:00"


def request_for(source: Path, **fields: Any) -> Request:
    return Request.parse({"source": str(source), "filter": "starlit-swirl", "format": "mp4-lossless", **fields})


def paint_all(
    store: FolderStore, request: Request, slots: int = 2, threads: int = 1
) -> tuple[Path, list[dict[str, Any]]]:
    key, plan = split(request, store, RUN, slots, threads)
    records = [paint_chunk(store, key, chunk.index, RUN, threads) for chunk in plan.chunks]
    return Path(store.address(assemble(store, key, RUN)["video"])), records


def painted_files(store: FolderStore) -> dict[str, tuple[int, str]]:
    """When each painted chunk was written, and its bytes."""
    files = sorted(store.root.glob("painted/*/*.nut"))
    return {path.name: (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest()) for path in files}


@pytest.fixture(scope="module")
def reference_hashes(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    output = tmp_path_factory.mktemp("reference") / "out.mp4"
    reference.paint(request_for(clip), output, 2, lambda done, total: None)
    return frame_hashes(output)


@pytest.mark.parametrize("slots", [1, 2])
@pytest.mark.parametrize("length", one_in(4, [7, 1, 24, 48]))
def test_painted_frames_do_not_depend_on_chunks_or_slots(
    clip: Path, store: FolderStore, reference_hashes: list[str], length: int, slots: int
) -> None:
    result, records = paint_all(store, request_for(clip, chunk_frames=length), slots, threads=2 // slots)
    assert sum(record["frames"] for record in records) == 48
    assert frame_hashes(result) == reference_hashes


def test_the_result_has_the_sources_timing_and_sound_and_its_records(clip: Path, store: FolderStore) -> None:
    key, plan = split(request_for(clip, format="mp4", chunk_frames=20), store, RUN, 2, 1)
    for chunk in plan.chunks:
        paint_chunk(store, key, chunk.index, RUN, 1)
    objects = assemble(store, key, RUN)
    result = Path(store.address(objects["video"]))
    assert result.name == "clip-starlit-swirl.mp4"
    assert timestamps(result) == timestamps(clip)
    assert sound_hash(result) == sound_hash(clip)
    assert duration(result) == duration(clip)
    provenance = store.get_json(objects["provenance"])
    assert provenance["filter"]["weights"]["sha256"].startswith("0a2a0c94")
    assert [chunk["frames"] for chunk in provenance["chunks"]] == [20, 20, 8]
    assert store.get_json(objects["manifest"])["frames"] == 48
    assert all(store.exists(key) for key in objects.values())


def test_the_same_request_again_paints_and_assembles_nothing(clip: Path, store: FolderStore) -> None:
    request = request_for(clip, chunk_frames=24)
    result, _ = paint_all(store, request)
    before, written = painted_files(store), result.stat().st_mtime_ns
    again, _ = paint_all(store, request)
    assert painted_files(store) == before
    assert (again, again.stat().st_mtime_ns) == (result, written)


def test_another_output_format_uses_painted_frames_that_were_kept(
    clip: Path, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    paint_all(store, request_for(clip, chunk_frames=24, format="mp4", keep_painted=True))
    monkeypatch.setattr(Workshop, "open", None)  # nothing can be painted from here on
    paint_all(store, request_for(clip, chunk_frames=24, format="mov"))
    again, _ = paint_all(store, request_for(clip, chunk_frames=24, format="mp4-lossless"))
    monkeypatch.undo()
    fresh, _ = paint_all(FolderStore(store.root / "fresh"), request_for(clip, format="mp4-lossless"))
    assert frame_hashes(again) == frame_hashes(fresh)


def test_the_chunks_of_another_format_are_the_same_though_the_filter_measures_slower(
    clip: Path, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for format, seconds in (("mp4", 1.0), ("mov", 1.7)):
        monkeypatch.setattr(Workshop, "seconds_a_frame", lambda self, seconds=seconds: seconds)
        _, plan = split(request_for(clip, format=format), store, RUN, 2, 1)
        assert len(plan.chunks) == 8, format


def test_the_same_bytes_under_another_name_give_the_result_that_is_there(
    clip: Path, store: FolderStore, tmp_path: Path
) -> None:
    result, _ = paint_all(store, request_for(clip, chunk_frames=24))
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(clip.read_bytes())
    again, _ = paint_all(store, request_for(copy, chunk_frames=16))
    assert again == result
    assert again.is_file()


def test_a_result_that_was_deleted_is_assembled_again_from_the_painted_chunks(clip: Path, store: FolderStore) -> None:
    result, _ = paint_all(store, request_for(clip, chunk_frames=24))
    hashes, painted = frame_hashes(result), painted_files(store)
    result.unlink()
    again, _ = paint_all(store, request_for(clip, chunk_frames=24))
    assert frame_hashes(again) == hashes
    assert painted_files(store) == painted


def test_a_copy_of_the_source_under_another_name_is_the_same_video(
    clip: Path, store: FolderStore, tmp_path: Path
) -> None:
    paint_all(store, request_for(clip, chunk_frames=24))
    before = painted_files(store)
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(clip.read_bytes())
    paint_all(store, request_for(copy, chunk_frames=24))
    assert painted_files(store) == before


def test_a_damaged_painted_chunk_is_painted_again_and_only_that(clip: Path, store: FolderStore) -> None:
    request = request_for(clip, chunk_frames=16)
    paint_all(store, request)
    before = painted_files(store)
    victim = sorted(store.root.glob("painted/*/*.nut"))[1]
    victim.write_bytes(victim.read_bytes()[:-100])
    paint_all(store, request)
    after = painted_files(store)
    assert {name for name in before if after[name] != before[name]} == {victim.name}
    assert after[victim.name][1] == before[victim.name][1]


def test_one_chunk_is_painted_after_the_runs_scratch_is_gone(clip: Path, store: FolderStore) -> None:
    key, _plan = split(request_for(clip, chunk_frames=16), store, RUN, 2, 1)
    store.delete(keys.run(RUN))
    assert paint_chunk(store, key, 1, RUN, 1)["frames"] == 16


def test_fewer_frames_a_second_paint_only_the_frames_that_are_shown(clip: Path, store: FolderStore) -> None:
    result, records = paint_all(store, request_for(clip, fps=5, chunk_frames=4))
    assert sum(record["frames"] for record in records) == 10
    assert timestamps(result) == pytest.approx([frame / 5 for frame in range(10)])


def test_more_frames_a_second_paint_each_frame_once(clip: Path, store: FolderStore) -> None:
    result, records = paint_all(store, request_for(clip, fps=50, filter="identity", chunk_frames=20))
    assert sum(record["frames"] for record in records) == 48
    assert frame_hashes(result) == [hash for hash in frame_hashes(clip) for _ in range(2)]


def test_an_odd_size_loses_no_bit_where_the_format_can_hold_it(tmp_path: Path, store: FolderStore) -> None:
    source = make_video(tmp_path / "odd.mkv", size="99x55", pixel_format="yuv444p")
    result, _ = paint_all(store, request_for(source, filter="identity", chunk_frames=30, format="mov-lossless"))
    assert frame_hashes(result, "yuv444p") == frame_hashes(source, "yuv444p")


def test_a_result_that_misses_a_painted_chunk_is_not_published(clip: Path, store: FolderStore) -> None:
    key, plan = split(request_for(clip, chunk_frames=16), store, RUN, 2, 1)
    for chunk in plan.chunks[:-1]:
        paint_chunk(store, key, chunk.index, RUN, 1)
    with pytest.raises(Mismatch, match=r"Chunk 2 .* is not painted"):
        assemble(store, key, RUN)
    assert not (store.root / "results").exists()


def test_a_picture_too_small_for_a_filter_is_refused_before_anything_is_stored(
    tmp_path: Path, store: FolderStore
) -> None:
    source = make_video(tmp_path / "tiny.mp4", frames=2, size="16x16")
    with pytest.raises(Refused, match="16x16 pixels are too few; a filter needs 32 on both sides"):
        split(request_for(source), store, RUN, 2, 1)
    assert not [path for path in store.root.rglob("*") if path.is_file()]


def test_a_refused_source_leaves_nothing_in_the_store(tmp_path: Path, store: FolderStore) -> None:
    text = tmp_path / "diary.mp4"
    text.write_text("Dear diary\n")
    with pytest.raises(Refused, match=r"diary\.mp4 is not a video"):
        split(request_for(text), store, RUN, 2, 1)
    assert not [path for path in store.root.rglob("*") if path.is_file()]
