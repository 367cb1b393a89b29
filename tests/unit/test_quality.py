from pathlib import Path

import numpy as np
import pytest

from rotoscope.borders import key_frames, scene_cuts
from rotoscope.chunks import plan_chunks
from rotoscope.media.source import open_source
from rotoscope.quality.similarity import ssim
from rotoscope.quality.warping import flow_between, small, warping_error
from rotoscope.request import Request
from rotoscope.steps.assemble import assemble
from rotoscope.steps.paint import paint_chunk
from rotoscope.steps.split import split
from rotoscope.store.folder import FolderStore
from tests.media import ffmpeg


def picture(shift: int) -> np.ndarray:
    """A smooth texture that moves to the right."""
    rows, columns = np.mgrid[0:120, 0:160]
    wave = 110 + 60 * np.sin((columns - shift) / 7) + 50 * np.cos(rows / 9 + (columns - shift) / 31)
    return np.stack([wave, wave * 0.8, wave * 0.6], axis=2).astype(np.uint8)


def test_what_only_moves_has_hardly_any_warping_error_and_flicker_has_much() -> None:
    before, after = small(picture(0)), small(picture(3))
    flow, visible = flow_between(before, after)
    assert visible.mean() > 0.7
    assert np.median(flow[visible][:, 0]) == pytest.approx(3, abs=0.3)
    moving = warping_error(before, after, flow, visible)
    assert moving < 0.1 * float(np.square(before - after).mean())
    assert warping_error(before, after * 0.8, flow, visible) > 10 * moving


def test_nothing_to_be_seen_is_no_error() -> None:
    frame = small(picture(0))
    nothing = np.zeros(frame.shape[:2], bool)
    assert warping_error(frame, frame, np.zeros((120, 160, 2), np.float32), nothing) == 0.0


def test_ssim_is_one_for_equal_pictures_and_falls_with_noise() -> None:
    grey = picture(0)[..., 0]
    noise = np.random.default_rng(0).integers(-20, 20, grey.shape)
    assert ssim(grey, grey) == pytest.approx(1.0)
    slightly, strongly = ssim(grey, np.clip(grey + noise // 4, 0, 255)), ssim(grey, np.clip(grey + noise, 0, 255))
    assert 0 < strongly < slightly < 1


def run(store: FolderStore, source: Path, **fields: object) -> dict:
    key, plan = split(Request.parse({"source": str(source), **fields}), store, "r", 1, 1)
    for chunk in plan.chunks:
        paint_chunk(store, key, chunk.index, "r", 1)
    return store.get_json(assemble(store, key, "r")["quality"])


def test_a_result_has_a_quality_report(clip: Path, store: FolderStore) -> None:
    painted = run(store, clip, filter="sea-mist", chunk_frames=16)
    assert painted["frames"] == {"expected": 48, "result": 48}
    assert painted["av_offset_ms"] == [0.0]
    assert min(painted["warping_error"], painted["source_warping_error"]) > 0
    assert "ssim" not in painted
    bare = run(store, clip, filter="sea-mist", strength=0, chunk_frames=16)
    assert 0.9 < bare["ssim"] <= 1
    assert "warping_error" not in bare


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two scenes of 30 and 34 frames, and a key frame every 25 as well as where the scene changes."""
    path = tmp_path_factory.mktemp("media") / "scenes.mp4"
    inputs = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=160x96:rate=25",
        "-f",
        "lavfi",
        "-i",
        "mandelbrot=size=160x96:rate=25",
    ]
    graph = "[0]trim=end_frame=30[a];[1]trim=end_frame=34[b];[a][b]concat=n=2:v=1"
    ffmpeg(*inputs, "-filter_complex", graph, "-c:v", "libx264", "-g", "25", "-pix_fmt", "yuv420p", path)
    return path


def test_the_frame_after_a_scene_cut_is_found(scenes: Path, tmp_path: Path) -> None:
    source, packets = open_source(scenes, tmp_path)
    (cut,) = scene_cuts(source.track)
    assert source.video.pts.index(cut) == 30
    keys = key_frames(packets)
    assert keys[source.video.pts[30]] == max(keys.values())


def test_chunks_end_at_good_borders_and_keep_their_length() -> None:
    plain = plan_chunks(1000, 0.1, 2)
    moved = plan_chunks(1000, 0.1, 2, borders={10: 9.0, plain[0].stop + 7: 1.0, plain[0].stop - 5: 1.0})
    assert moved[0].stop == plain[0].stop - 5
    assert [len(chunk) for chunk in moved[2:]] == [len(chunk) for chunk in plain[2:]]
    best = plan_chunks(1000, 0.1, 2, borders={plain[0].stop + 7: 2.0, plain[0].stop - 5: 1.0})
    assert best[0].stop == plain[0].stop + 7
    assert min(map(len, moved)) >= len(plain[0]) / 2
    assert plan_chunks(100, 0.1, 2, chunk_frames=30, borders={31: 9.0})[0].stop == 30
