"""What a result keeps beside its frames: streams, tags, depth, transparency; and what it says where it cannot."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rotoscope import reference
from rotoscope.errors import Refused
from rotoscope.request import Request
from tests.corpus import odd
from tests.media import duration, ffmpeg, frame_hashes, make_video, timestamps


def paint(source: Path, output: Path, **fields: Any) -> list[str]:
    request = Request.parse({"source": str(source), "filter": "identity", **fields})
    return reference.paint(request, output, 1, lambda done, total: None)[1]


def facts(path: Path, *entries: str) -> dict[str, Any]:
    asked = ["ffprobe", "-v", "error", *entries, "-of", "json", path]
    return json.loads(subprocess.run(asked, check=True, capture_output=True, text=True).stdout)


def streams(path: Path) -> list[dict[str, Any]]:
    return facts(path, "-show_streams")["streams"]


def pixels(path: Path, pixel_format: str, size: tuple[int, int], channels: int) -> np.ndarray:
    raw = ["ffmpeg", "-v", "error", "-i", path, "-frames:v", "1", "-pix_fmt", pixel_format, "-f", "rawvideo", "-"]
    data = subprocess.run(raw, check=True, capture_output=True).stdout
    return np.frombuffer(data, np.uint8)[: size[0] * size[1] * channels].reshape(size[1], size[0], channels)


def odd_one(tmp_path: Path, step: odd.Step, container: str = "mkv", **options: Any) -> Path:
    step(make_video(tmp_path / f"plain.{container}", **options), tmp_path / f"odd.{container}")
    return tmp_path / f"odd.{container}"


@pytest.mark.parametrize(("format", "codec"), [("mp4", "mov_text"), ("mkv", "subrip"), ("webm", "webvtt")])
def test_subtitles_are_there_with_language_and_disposition(tmp_path: Path, format: str, codec: str) -> None:
    source, output = odd_one(tmp_path, odd.with_subtitles("srt")), tmp_path / "out"
    paint(source, output, format=format)
    (subtitle,) = [stream for stream in streams(output) if stream["codec_type"] == "subtitle"]
    assert subtitle["codec_name"] == codec
    assert subtitle["tags"]["language"] in ("deu", "ger")
    assert subtitle["disposition"]["forced"] == 1


@pytest.mark.parametrize("format", ["mp4", "mkv", "webm"])
def test_a_part_has_its_own_sound_and_subtitles(tmp_path: Path, format: str) -> None:
    source, output = odd_one(tmp_path, odd.with_subtitles("srt")), tmp_path / "out"
    paint(source, output, format=format, start="0.6", end="1.5")
    assert duration(output) == pytest.approx(0.9, abs=0.1)
    kinds = [stream["codec_type"] for stream in streams(output)]
    assert sorted(kinds) == ["audio", "subtitle", "video"]
    assert timestamps(output)[0] == pytest.approx(0, abs=0.001)


def test_a_part_in_which_a_sound_is_silent_is_painted(tmp_path: Path) -> None:
    source = make_video(tmp_path / "source.mkv", frames=100)
    short = tmp_path / "short.mkv"
    ffmpeg("-i", source, "-t", "1", "-i", source, "-map", "0:v", "-map", "1:a", "-c", "copy", short)
    paint(short, tmp_path / "out.mp4", start="1.5", end="2.5")
    assert len(timestamps(tmp_path / "out.mp4")) == 25


def test_the_first_sound_may_begin_after_the_second(tmp_path: Path) -> None:
    source, later = make_video(tmp_path / "source.mkv", frames=50), tmp_path / "later.mkv"
    ffmpeg(
        "-i", source, "-itsoffset", "1", "-i", source, "-map", "0:v", "-map", "1:a", "-map", "0:a", "-c", "copy", later
    )
    paint(later, tmp_path / "out.mkv", format="mkv")
    begins = [float(one["start_time"]) for one in streams(tmp_path / "out.mkv") if one["codec_type"] == "audio"]
    assert begins == pytest.approx([1, 0], abs=0.05)


def test_chapters_title_and_languages_are_kept(tmp_path: Path) -> None:
    source = odd_one(tmp_path, odd.with_chapters)
    paint(source, tmp_path / "out.mp4")
    told = facts(tmp_path / "out.mp4", "-show_chapters", "-show_format")
    assert [chapter["tags"]["title"] for chapter in told["chapters"]] == ["Start", "Landing"]
    assert told["format"]["tags"]["title"] == "A flight"
    paint(odd_one(tmp_path, odd.with_two_sounds), tmp_path / "two.mp4")
    sounds = [stream for stream in streams(tmp_path / "two.mp4") if stream["codec_type"] == "audio"]
    assert [sound["tags"]["language"] for sound in sounds] == ["deu", "fra"]


def test_the_pictures_keep_their_language_and_title(tmp_path: Path) -> None:
    source = odd_one(tmp_path, odd.copied("-metadata:s:v", "language=fra", "-metadata:s:v", "title=The wing"), frames=2)
    paint(source, tmp_path / "out.mkv", format="mkv")
    told = {name.lower(): text for name, text in streams(tmp_path / "out.mkv")[0]["tags"].items()}
    assert (told["language"], told["title"]) == ("fra", "The wing")


def test_a_cover_stays_a_cover(tmp_path: Path) -> None:
    source = odd_one(tmp_path, odd.with_cover, "mp4")
    paint(source, tmp_path / "out.mp4")
    assert [stream["disposition"]["attached_pic"] for stream in streams(tmp_path / "out.mp4")] == [0, 0, 1] or [
        stream["disposition"]["attached_pic"] for stream in streams(tmp_path / "out.mp4")
    ] == [0, 1, 0]


def test_the_painted_one_of_several_videos_is_named(tmp_path: Path) -> None:
    step = odd.copied("-map", "0:v", "-map", "0:a", "-map", "0:v", "-disposition:v:1", "0")
    notices = paint(odd_one(tmp_path, step), tmp_path / "out.mp4")
    assert any("several video streams; stream 0 was painted" in notice for notice in notices)


def test_ten_bits_are_painted_with_ten_bits_where_the_format_has_them(tmp_path: Path) -> None:
    source = make_video(tmp_path / "s.mkv", frames=2, size="64x64", pixel_format="yuv420p10le")
    assert not paint(source, tmp_path / "deep.mp4", format="mp4-hevc", filter="sea-mist", strength=0.5)
    assert streams(tmp_path / "deep.mp4")[0]["pix_fmt"] == "yuv420p10le"
    notices = paint(source, tmp_path / "flat.mp4", filter="sea-mist")
    assert any("10 bits a sample; the result has 8" in notice for notice in notices)


@pytest.mark.parametrize("format", ["mov-prores", "mov-lossless", "webm-alpha", "gif"])
def test_transparency_passes_around_the_filter(tmp_path: Path, format: str) -> None:
    hole = "format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='if(lt(X,32),0,255)'"
    source, output = tmp_path / "s.mov", tmp_path / f"out.{'webm' if 'webm' in format else 'x'}"
    make_video(source, frames=5, size="64x64", rate="10", codec=("-c:v", "png"), pixel_format="rgba", filters=hole)
    paint(source, output, format=format, filter="lava-glow")
    decoder = ["-c:v", "libvpx-vp9"] if "webm" in format else []
    raw = ["ffmpeg", "-v", "error", *decoder, "-i", output, "-frames:v", "1", "-pix_fmt", "rgba", "-f", "rawvideo", "-"]
    data = subprocess.run(raw, check=True, capture_output=True).stdout
    alpha = np.frombuffer(data, np.uint8).reshape(64, 64, 4)[..., 3]
    assert alpha[:, :28].max() < 30
    assert alpha[:, 36:].min() > 225


def test_lost_transparency_is_said(tmp_path: Path) -> None:
    source = make_video(tmp_path / "s.mov", frames=2, codec=("-c:v", "png"), pixel_format="rgba", sound=None)
    assert any("transparency was left out" in notice for notice in paint(source, tmp_path / "out.mp4"))


def test_interlaced_video_is_said_to_be_or_made_whole(tmp_path: Path) -> None:
    fields = ("-c:v", "libx264", "-flags", "+ildct+ilme", "-x264-params", "tff=1")
    source = make_video(tmp_path / "s.mp4", codec=fields, filters="setfield=tff", size="160x96")
    assert any("is interlaced" in notice for notice in paint(source, tmp_path / "out.mp4"))
    assert not any("is interlaced" in notice for notice in paint(source, tmp_path / "whole.mp4", deinterlace=True))
    assert timestamps(tmp_path / "whole.mp4") == timestamps(source)
    assert frame_hashes(tmp_path / "whole.mp4") != frame_hashes(tmp_path / "out.mp4")


@pytest.mark.parametrize("axis", [0, 4], ids=["left-right", "up-down"])
def test_mirrored_video_is_shown_as_players_show_it(clip: Path, tmp_path: Path, axis: int) -> None:
    """A one in the track's display matrix (ISO/IEC 14496-12, 8.3.2) becomes minus one."""
    data = bytearray(clip.read_bytes())
    matrix = data.index(b"tkhd") + 44 + 4 * axis
    assert data[matrix : matrix + 4] == (0x10000).to_bytes(4, "big")
    data[matrix : matrix + 4] = (0xFFFF0000).to_bytes(4, "big")
    source = tmp_path / "mirrored.mp4"
    source.write_bytes(data)
    paint(source, tmp_path / "out.mp4", format="mp4-lossless")
    assert frame_hashes(tmp_path / "out.mp4") == frame_hashes(source)
    assert frame_hashes(source) != frame_hashes(clip)


def test_colour_tags_and_the_shape_of_pixels_are_kept(tmp_path: Path) -> None:
    tags = "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709,setsar=16/11"
    source = make_video(tmp_path / "s.mp4", filters=tags)
    for format in ("mp4", "mp4-hevc", "mp4-av1", "mov-prores", "mkv", "webm"):
        paint(source, tmp_path / "out", format=format)
        made = streams(tmp_path / "out")[0]
        assert (made["color_space"], made["color_primaries"], made["color_transfer"]) == ("bt709",) * 3, format
        across, down = map(int, made["sample_aspect_ratio"].split(":"))
        assert across / down == pytest.approx(16 / 11, rel=0.01), format  # Matroska counts whole pixels


def test_quality_speed_and_pixel_format_are_used(clip: Path, tmp_path: Path) -> None:
    paint(clip, tmp_path / "good.mp4", quality=10, speed="ultrafast")
    paint(clip, tmp_path / "bad.mp4", quality=45, pixel_format="yuv444p")
    assert (tmp_path / "good.mp4").stat().st_size > 2 * (tmp_path / "bad.mp4").stat().st_size
    assert streams(tmp_path / "bad.mp4")[0]["pix_fmt"] == "yuv444p"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"quality": 99}, "quality is 99; for mp4 it goes from 0"),
        ({"speed": "warp"}, "speed is 'warp'; for mp4 choose one of ultrafast"),
        ({"pixel_format": "rgb24"}, "pixel_format is 'rgb24'; for mp4 choose one of yuv420p"),
        ({"format": "gif", "quality": 3}, "gif has no quality to set"),
        ({"format": "gif", "speed": "fast"}, "gif has no speed to set"),
    ],
)
def test_what_a_format_does_not_have_is_refused(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(Refused, match=says):
        Request.parse({"source": "a.mp4", **fields})


def test_times_that_a_format_cannot_hold_are_refused(tmp_path: Path) -> None:
    source = make_video(tmp_path / "fast.mp4", rate="240", sound=None)
    with pytest.raises(Refused, match="GIF holds times of 1/100 s"):
        paint(source, tmp_path / "out.gif", format="gif")
    paint(source, tmp_path / "out.gif", format="gif", fps=25)


def test_a_still_video_comes_back_as_webp(tmp_path: Path) -> None:
    source = tmp_path / "still.mp4"
    ffmpeg("-f", "lavfi", "-i", "color=red:size=64x64:rate=10", "-frames:v", "4", source)
    paint(source, tmp_path / "out.webp", format="webp")
    with Image.open(tmp_path / "out.webp") as picture:
        assert picture.size == (64, 64)


def test_two_parts_of_a_picture_that_is_shown_for_long_are_two_results(tmp_path: Path) -> None:
    source = make_video(tmp_path / "slides.mp4", frames=3, rate="1/10")
    for start, end in (("12", "15"), ("18", "19")):
        paint(source, tmp_path / f"{start}.mp4", start=start, end=end)
        assert duration(tmp_path / f"{start}.mp4") == pytest.approx(float(end) - float(start), abs=0.1)


def test_a_folder_with_a_per_cent_sign_is_a_folder(clip: Path, tmp_path: Path) -> None:
    folder = tmp_path / "50%d off"
    folder.mkdir()
    paint(clip, folder / "out.zip", format="png", end="0.2")
    assert [path.name for path in folder.iterdir()] == ["out.zip"]
