"""Decode, encode, cut: every frame comes back, bit by bit, at its time."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from rotoscope.errors import Mismatch, ProcessFailed
from rotoscope.media import nut
from rotoscope.media.cut import cut, plan_segments
from rotoscope.media.decode import decode
from rotoscope.media.encode import encode_lossless
from rotoscope.media.guard import OWN
from rotoscope.media.packets import read_packets
from rotoscope.media.pixels import LAYOUTS, bits, file_format
from rotoscope.media.source import open_source
from rotoscope.media.track import Frame, Picture, Track
from rotoscope.media.video import Colour
from tests.media import ffmpeg, make_video
from tests.sampling import one_in


def all_frames(track: Track, pts: list[int], pixel_format: str | None = None) -> list[bytes]:
    picture = Picture(pixel_format or track.pixel_format, track.size)
    return [frame.tobytes() for frame in decode(track, picture, pts)]


@pytest.mark.parametrize("pixel_format", one_in(3, sorted(LAYOUTS)))
@pytest.mark.parametrize("size", [(64, 36), (63, 35)])
@pytest.mark.parametrize("colour", [Colour(), Colour(range="pc"), Colour(matrix="bt709", range="tv")], ids=str)
def test_lossless_encoding_gives_back_every_bit_and_every_tick(
    tmp_path: Path, pixel_format: str, size: tuple[int, int], colour: Colour
) -> None:
    picture = Picture(pixel_format, size)
    pts = [0, 1001, 2002, 9009, 9010]
    noise = np.random.default_rng(1)
    deep = LAYOUTS[pixel_format].sample_bytes == 2
    kind, limit = (np.uint16, 2 ** bits(pixel_format)) if deep else (np.uint8, 256)
    frames = [noise.integers(0, limit, picture.frame_bytes // np.dtype(kind).itemsize, kind) for _ in pts]
    path = tmp_path / "frames.nut"
    with encode_lossless(path, picture, picture, Fraction(1, 30000), colour) as timed:
        for when, frame in zip(pts, frames, strict=True):
            timed.write(when, frame)
    track = Track(path, OWN, 0, Fraction(1, 30000), file_format(pixel_format), size, colour)
    assert all_frames(track, pts, pixel_format) == [frame.tobytes() for frame in frames]


def test_decoding_notices_a_frame_that_is_missing_or_moved(clip: Path, tmp_path: Path) -> None:
    source, _ = open_source(clip, tmp_path)
    video, track = source.video, source.track
    with pytest.raises(Mismatch, match="48 frames where 49"):
        all_frames(track, [*video.pts, video.pts[-1] + 512])
    with pytest.raises(Mismatch, match="frame 3 has timestamp 1536 where 1537"):
        all_frames(track, [*video.pts[:3], video.pts[3] + 1, *video.pts[4:]])


def test_an_encoder_that_fails_says_why(tmp_path: Path) -> None:
    picture = Picture("yuv420p", (64, 36))
    frame: Frame = np.zeros(picture.frame_bytes, np.uint8)

    def encode() -> None:
        with encode_lossless(tmp_path / "no" / "x.nut", picture, picture, Fraction(1, 25), Colour()) as timed:
            for when in range(1000):
                timed.write(when, frame)

    with pytest.raises(ProcessFailed, match="No such file"):
        encode()


OPEN_GOP = ("-c:v", "libx264", "-preset", "medium", "-x264-params", "open-gop=1:bframes=3:b-pyramid=none:scenecut=0")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"codec": OPEN_GOP},
        {"codec": ("-c:v", "mpeg2video", "-bf", "2"), "container": "ts"},
        {"codec": ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-b:v", "200k"), "container": "webm", "sound": None},
        {"filters": "settb=1/1000,setpts=N*40+if(gt(N\\,20)\\,500\\,0)+700", "tick": "1/1000", "container": "mkv"},
        {"gop": 500},
        {"edited": True},
        {"codec": ("-c:v", "libx264", "-x264-params", "intra-refresh=1:keyint=12:bframes=0")},
    ],
    ids=[
        "closed",
        "open-gop",
        "mpeg2-ts",
        "vp9",
        "variable-rate-late-start",
        "one-key-frame",
        "edit-list",
        "intra-refresh",
    ],
)
@pytest.mark.parametrize("length", one_in(4, [7, 1, 24, 48]))
def test_each_segment_decodes_to_its_own_frames_alone(tmp_path: Path, options: dict, length: int) -> None:
    options = dict(options)
    edited = options.pop("edited", False)
    path = make_video(tmp_path / f"source.{options.pop('container', 'mp4')}", **options)
    if edited:  # frames before the edit are in the file, with negative timestamps, and are not shown
        ffmpeg("-ss", "0.7", "-i", path, "-c", "copy", path.with_name("edited.mp4"))
        path = path.with_name("edited.mp4")
    source, packets = open_source(path, tmp_path)
    video = source.video
    whole = all_frames(source.track, video.pts)
    runs = [range(start, min(start + length, video.frames)) for start in range(0, video.frames, length)]
    segments, needed = plan_segments(packets, video.tick, runs)
    (tmp_path / "cut").mkdir()
    files = cut(source.track, segments, tmp_path / "cut")
    for run, wanted in zip(runs, needed, strict=True):
        joined = tmp_path / "joined.nut"
        with joined.open("wb") as target:
            nut.join([files[number] for number in wanted], target)
        segment = source.track.segment(joined, segments.offset)
        assert all_frames(segment, video.pts[run.start : run.stop]) == whole[run.start : run.stop]


def test_segments_hold_each_packet_once(tmp_path: Path, clip: Path) -> None:
    source, packets = open_source(clip, tmp_path)
    segments, needed = plan_segments(packets, source.video.tick, [range(24, 36)])
    assert segments.begins == [0, 24]
    assert needed == [range(1, 2)]
    files = cut(source.track, segments, tmp_path)
    assert sum(len(read_packets(file, OWN, 0).pts) for file in files) == 48
