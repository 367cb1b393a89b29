"""What leaves the house: timestamps to the tick, sound untouched, parts and frame rates as asked."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from rotoscope import reference
from rotoscope.errors import Refused
from rotoscope.request import Request
from tests.media import duration, frame_hashes, make_video, sound_hash, timestamps
from tests.sampling import one_in
from tests.unit.test_probe import probe


def paint(source: Path, output: Path, **fields: Any) -> Path:
    request = Request.parse({"source": str(source), "filter": "identity", "format": "mp4-lossless", **fields})
    reference.paint(request, output, 1, lambda done, total: None)
    return output


@pytest.mark.parametrize(
    "name", one_in(2, ["mp4", "mov", "mp4-av1", "mp4-hevc", "mov-prores", "mov-lossless", "mp4-lossless"])
)
def test_each_format_keeps_timestamps_length_and_sound(clip: Path, tmp_path: Path, name: str) -> None:
    result = paint(clip, tmp_path / "out", format=name)
    assert timestamps(result) == timestamps(clip)
    assert duration(result) == pytest.approx(duration(clip), abs=0.001)
    assert sound_hash(result) == sound_hash(clip)


def test_the_identity_filter_gives_back_every_frame_bit_by_bit(clip: Path, tmp_path: Path) -> None:
    assert frame_hashes(paint(clip, tmp_path / "out.mp4")) == frame_hashes(clip)


def test_strength_zero_is_the_identity(clip: Path, tmp_path: Path) -> None:
    result = paint(clip, tmp_path / "out.mp4", filter="lava-glow", strength=0)
    assert frame_hashes(result) == frame_hashes(clip)


@pytest.mark.parametrize(
    "options",
    [
        {"filters": "settb=1/90000,setpts=N*3003+if(gt(N\\,9)\\,100001\\,0)+70001", "tick": "1/90000"},
        {"rate": "30000/1001", "tick": "1001/30000"},
        {"container": "mkv", "filters": "settb=1/1000,setpts=N*33+mod(N\\,3)+1234", "tick": "1/1000"},
        {"container": "ts"},
        {"sound": None},
    ],
    ids=["gap-and-late-start", "ntsc", "swinging-milliseconds", "ts", "silent"],
)
def test_every_timestamp_is_that_of_the_source(tmp_path: Path, options: dict[str, Any]) -> None:
    source = make_video(tmp_path / f"source.{options.pop('container', 'mp4')}", **options)
    video = probe(source)
    made = probe(paint(source, tmp_path / "out.mp4"))
    assert [pts * made.tick for pts in made.pts] == [(pts - video.origin) * video.tick for pts in video.pts]
    assert (video.origin > 0) == (video.demuxer == "mpegts"), "only a broadcast's clock begins anywhere"


def test_a_part_starts_at_zero_with_its_own_sound(clip: Path, tmp_path: Path) -> None:
    result = paint(clip, tmp_path / "out.mp4", start="0.5", end="1.5")
    assert frame_hashes(result) == frame_hashes(clip)[13:38]
    assert timestamps(result) == pytest.approx([frame / 25 for frame in range(25)])
    assert duration(result) == pytest.approx(1.0, abs=0.05)


def test_a_part_far_from_a_key_frame_has_its_own_sound(tmp_path: Path) -> None:
    source = make_video(tmp_path / "source.mkv", frames=100, gop=100)
    result = paint(source, tmp_path / "out.mp4", start="2", end="3")
    assert duration(result) == pytest.approx(1.0, abs=0.05)
    assert len(sound_hash(result)) > 0


def test_sound_in_flac_is_copied(tmp_path: Path) -> None:
    source = make_video(tmp_path / "source.mkv", sound=("-c:a", "flac"))
    assert sound_hash(paint(source, tmp_path / "out.mp4", format="mp4")) == sound_hash(source)


def test_a_picture_of_odd_size_loses_its_last_column_and_row_and_nothing_else(tmp_path: Path) -> None:
    odd = ("-c:v", "ffv1")
    source = make_video(tmp_path / "odd.mkv", frames=3, codec=odd, filters="crop=99:55:0:0:exact=1", size="160x90")
    cropped = make_video(tmp_path / "even.mkv", frames=3, codec=odd, filters="crop=98:54:0:0", size="160x90")
    assert frame_hashes(paint(source, tmp_path / "out.mp4")) == frame_hashes(cropped)


def test_a_part_whose_sound_is_converted_starts_at_zero_too(tmp_path: Path) -> None:
    late = "settb=1/1000,setpts=N*40+1500"
    source = make_video(tmp_path / "s.mkv", filters=late, tick="1/1000", sound=("-c:a", "libvorbis"))
    result = paint(source, tmp_path / "out.mp4", start="0.1", end="0.4")
    assert timestamps(result)[0] == 0
    assert duration(result) == pytest.approx(0.3, abs=0.05)


def test_a_frame_rate_is_even_and_keeps_the_length(clip: Path, tmp_path: Path) -> None:
    times = timestamps(paint(clip, tmp_path / "out.mp4", fps=60))
    assert len(times) == round(48 / 25 * 60)
    assert all(b - a == pytest.approx(1 / 60, abs=1e-5) for a, b in pairwise(times))


def test_the_shown_size_keeps_the_shape_of_wide_pixels(tmp_path: Path) -> None:
    source = make_video(tmp_path / "wide.mp4", filters="setsar=4/3")
    video = probe(paint(source, tmp_path / "out.mp4", size="240p", strength=1))
    assert Fraction(video.sample_aspect_ratio.replace(":", "/")) == Fraction(4, 3)
    assert (video.width, video.height) == (426, 240)


def test_a_part_beyond_the_end_is_refused(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"has no frame from 5 s to its end; it lasts 1\.92 s"):
        paint(clip, tmp_path / "out.mp4", start="5")


def test_nothing_is_left_behind_when_painting_is_refused(clip: Path, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    with pytest.raises(Refused):
        paint(clip, folder / "out.mp4", start="5")
    assert list(folder.iterdir()) == []


def test_the_source_is_never_written_over(clip: Path, tmp_path: Path) -> None:
    before = clip.read_bytes()
    with pytest.raises(Refused, match="is the source itself"):
        paint(clip, clip)
    assert clip.read_bytes() == before
