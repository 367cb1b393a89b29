import hashlib
import tempfile
from pathlib import Path

import pytest
from PIL import Image

from rotoscope.errors import ProcessFailed, Refused
from rotoscope.media.decode import decode
from rotoscope.media.process import version
from rotoscope.media.source import open_source
from rotoscope.media.track import Picture, Track
from rotoscope.media.video import Video
from tests.media import ffmpeg, make_video


def probe(path: Path) -> Video:
    with tempfile.TemporaryDirectory() as scratch:
        return open_source(path, Path(scratch))[0].video


def test_a_clip_is_described(clip: Path, tmp_path: Path) -> None:
    source, packets = open_source(clip, tmp_path)
    video = source.video
    assert (video.width, video.height, video.frames, video.codec) == (160, 90, 48, "h264")
    assert video.pts == [512 * frame for frame in range(48)]
    assert video.time_base == "1/12800"
    assert [other.codec for other in video.others] == ["aac"]
    assert sum(packets.key) == 4
    assert list(packets.pts) != video.pts, "B-frames come in another order than they are shown"


def test_variable_frame_rate_keeps_each_timestamp(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mkv", filters="settb=1/1000,setpts=N*40+if(gt(N\\,20)\\,500\\,0)", tick="1/1000")
    video = probe(path)
    assert video.pts[20:23] == [video.pts[20], video.pts[20] + 540, video.pts[20] + 580]


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotated_video_decodes_as_ffmpeg_shows_it(clip: Path, tmp_path: Path, degrees: int) -> None:
    turned = tmp_path / "turned.mp4"
    if version() < "6":
        ffmpeg("-i", clip, "-c", "copy", "-metadata:s:v:0", f"rotate={degrees}", turned)
    else:
        ffmpeg("-display_rotation", str(-degrees), "-i", clip, "-c", "copy", turned)
    video = probe(turned)
    assert video.upright_size == ((90, 160) if degrees != 180 else (160, 90))
    frames = decode(Track.of(video, turned), Picture("yuv420p", video.upright_size), video.pts)
    shown = ffmpeg("-i", turned, "-map", "0:v", "-frames:v", "1", "-f", "md5", "-c:v", "rawvideo", "-")
    assert hashlib.md5(next(frames).tobytes()).hexdigest() == shown.strip().removeprefix("MD5=")


def _picture(path: Path) -> None:
    Image.new("RGB", (32, 32)).save(path, "PNG")


def _sound(path: Path) -> None:
    ffmpeg("-f", "lavfi", "-t", "1", "-i", "sine", "-c:a", "aac", "-f", "mp4", path)


def _no_frames(path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x64", "-frames:v", "0", "-c:v", "libx264", "-f", "mp4", path)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "There is no file"),
        (lambda path: path.mkdir(), "is not a file; give the path of one video file"),
        (lambda path: path.touch(), "source.mp4 is empty (0 bytes)"),
        (
            lambda path: path.write_text("Dear diary,\n" * 99),
            "source.mp4 is not a video that can be read; give a video",
        ),
        (_picture, "source.mp4 is a picture (PNG), not a video; give a video"),
        (_sound, "source.mp4 has no video stream, only audio; give a video"),
        (_no_frames, "source.mp4"),
    ],
    ids=["missing", "folder", "empty", "text", "picture", "sound", "no-frames"],
)
def test_what_is_no_video_is_refused_in_a_sentence(tmp_path: Path, make, says: str) -> None:
    path = tmp_path / "source.mp4"
    make(path)
    with pytest.raises(Refused) as refusal:
        probe(path)
    assert says in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_missing_ffprobe_is_no_fault_of_the_file(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name, path: None)
    with pytest.raises(ProcessFailed, match="ffprobe is not installed"):
        probe(clip)


def test_a_path_that_no_file_can_have_is_refused() -> None:
    with pytest.raises(Refused, match="File name too long"):
        probe(Path("x" * 300 + ".mp4"))


def test_hdr_is_refused_out_loud(tmp_path: Path) -> None:
    hdr = "setparams=color_trc=smpte2084:color_primaries=bt2020:colorspace=bt2020nc"
    path = make_video(tmp_path / "hdr.mp4", frames=2, pixel_format="yuv420p10le", filters=hdr)
    with pytest.raises(Refused, match=r"HDR video \(PQ\)"):
        probe(path)


def test_a_playlist_that_names_another_file_is_not_followed(tmp_path: Path, clip: Path) -> None:
    secret = tmp_path / "secret.ts"
    ffmpeg("-i", clip, "-c", "copy", secret)
    playlist = tmp_path / "innocent.mp4"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{secret}\n#EXT-X-ENDLIST\n")
    with pytest.raises(Refused, match="is not a video"):
        probe(playlist)
