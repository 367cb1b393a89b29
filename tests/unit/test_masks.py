"""Masks: a box, a picture or a video says where frames are painted, the same however the work is cut."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rotoscope import reference
from rotoscope.errors import Refused
from rotoscope.masks import Edge, box_of, box_share, in_file, read_mask
from rotoscope.media.source import open_source
from rotoscope.request import Request
from rotoscope.steps.split import split
from rotoscope.store.folder import FolderStore
from tests.media import ffmpeg, frame_hashes, frames_of, grey_video, make_video
from tests.unit.test_steps import RUN, paint_all

SIZE = (160, 96)
FRAMES = 12


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("masks") / "clip.mkv", FRAMES, size=f"{SIZE[0]}x{SIZE[1]}")


@pytest.fixture(scope="module")
def left(clip: Path) -> Path:
    """A picture, twice as large as the video, whose left half is white."""
    mask = np.zeros((SIZE[1] * 2, SIZE[0] * 2), np.uint8)
    mask[:, : SIZE[0]] = 255
    path = clip.with_name("left.png")
    Image.fromarray(mask).save(path)
    return path


def wanted(clip: Path, mask: Path | str | None, **fields: object) -> Request:
    said = {"mask": str(mask)} if mask else {}
    return Request.parse({"source": str(clip), "filter": "halftone", "format": "mp4-lossless", **said, **fields})


def painted(clip: Path, target: Path, mask: Path, **fields: object) -> np.ndarray:
    made = target / "made.mp4"
    reference.paint(wanted(clip, mask, **fields), made, 2, lambda done, total: None)
    return frames_of(made, SIZE)


def changed(clip: Path, target: Path, mask: Path, **fields: object) -> np.ndarray:
    """How far each pixel is from the unpainted one, (frames, height, width)."""
    plain, other = frames_of(clip, SIZE).astype(int), painted(clip, target, mask, **fields).astype(int)
    return np.abs(plain - other).mean(axis=3)


def test_a_box_is_as_large_as_it_says() -> None:
    share = box_share((25, 50, 50, 25), (8, 4))
    assert share.sum() == pytest.approx(8 * 4 * 0.5 * 0.25)
    assert share[2, 2:6].tolist() == [1, 1, 1, 1]
    assert box_share((0, 0, 50, 100), (3, 1))[0].tolist() == [1, 0.5, 0]


def test_a_soft_edge_is_as_wide_as_it_says() -> None:
    share = Edge(50, invert=False).softened(box_share((0, 0, 50, 100), (200, 100)))
    edge = ((share[50] > 0.03) & (share[50] < 0.97)).sum()
    assert edge == pytest.approx(50, abs=6)
    assert np.allclose(Edge(50, invert=True).softened(box_share((0, 0, 50, 100), (200, 100))), 1 - share)


@pytest.mark.parametrize("invert", [False, True])
def test_a_picture_limits_the_paint(clip: Path, left: Path, tmp_path: Path, invert: bool) -> None:
    far = changed(clip, tmp_path, left, mask_invert=invert)
    halves = far[..., :72].mean(), far[..., 88:].mean()
    inside, outside = halves[::-1] if invert else halves
    assert inside > 6 * outside, "what is left of the outside is the change of colours from YCbCr to RGB and back"


def test_a_video_limits_the_paint_frame_by_frame(clip: Path, tmp_path: Path) -> None:
    """White comes in from the left, a column of 10 pixels a frame."""
    frames = np.zeros((FRAMES, SIZE[1], SIZE[0]), np.uint8)
    for index in range(FRAMES):
        frames[index, :, : 10 * (index + 1)] = 255
    mask = grey_video(tmp_path / "mask.mkv", frames)
    far = changed(clip, tmp_path, mask)
    for index in range(FRAMES):
        inside, outside = far[index, :, : 10 * index + 8], far[index, :, 10 * index + 12 :]
        assert inside.mean() > 6 * outside.mean()
    hashes = [
        frame_hashes(paint_all(FolderStore(tmp_path / f"store-{length}"), wanted(clip, mask, chunk_frames=length))[0])
        for length in (5, FRAMES)
    ]
    assert hashes[0] == hashes[1]


def test_white_is_white_in_an_ordinary_video_too(clip: Path, tmp_path: Path) -> None:
    """Whose levels go from 16 to 235."""
    for colour, wanted in (("white", 1), ("black", 0)):
        path = tmp_path / f"{colour}.mp4"
        ffmpeg("-f", "lavfi", "-i", f"color=c={colour}:s=160x96:r=25", "-frames:v", "5", "-pix_fmt", "yuv420p", path)
        video = open_source(make_video(tmp_path / "five.mkv", 5, size="160x96"), tmp_path)[0].video
        where = in_file(read_mask(path, path.name, video, tmp_path), Edge(0, invert=False), range(5), SIZE, tmp_path)
        assert all(where(index).mean() == pytest.approx(wanted, abs=0.005) for index in range(5))


def test_a_damaged_mask_is_blamed_by_its_name(clip: Path, tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (FRAMES, SIZE[1], SIZE[0]), np.uint8)
    mask = grey_video(tmp_path / "mask.mkv", frames)
    content = bytearray(mask.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 9000] = bytes(9000)
    mask.write_bytes(content)
    with pytest.raises(Refused, match=r"mask\.mkv"):
        painted(clip, tmp_path, mask)


def test_a_mask_is_known_by_its_content(clip: Path, left: Path, tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    copy = tmp_path / "copy.png"
    copy.write_bytes(left.read_bytes())
    asked = [wanted(clip, left), wanted(clip, copy), wanted(clip, left, mask_feather=3), wanted(clip, None)]
    plans = [split(request, store, RUN, 2, 1)[0] for request in asked]
    assert plans[0] == plans[1]
    assert len(set(plans)) == 3


def test_nothing_is_painted_where_a_picture_is_transparent(clip: Path, left: Path, tmp_path: Path) -> None:
    cut_out = np.full((*SIZE[::-1], 4), 255, np.uint8)
    cut_out[:, SIZE[0] // 2 :, 3] = 0
    Image.fromarray(cut_out).save(tmp_path / "cut-out.png")
    assert np.array_equal(painted(clip, tmp_path, tmp_path / "cut-out.png"), painted(clip, tmp_path, left))


@pytest.mark.parametrize("text", ["25,25,50,50", " 25%, 25%, 50%, 50.0% "])
def test_a_box_may_have_percent_signs(text: str) -> None:
    assert box_of(text) == (25, 25, 50, 50)


@pytest.mark.parametrize("text", ["-5,0,50,50", "1,2,3", "1,2,3,4,5", "60,0,50,50", "0,0,0,50", "10%,20%,,30%"])
def test_what_is_meant_as_a_box_and_is_none_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="is no box within a frame"):
        box_of(text)
    assert box_of("masks/1,2,3.png") is None


@pytest.mark.parametrize(
    ("mask", "says"),
    [
        ("10,10,95,20", "is no box within a frame"),
        ("10,10,0,20", "is no box within a frame"),
        ("nowhere.png", "There is no file nowhere.png"),
        ("square.png", "The mask square.png has 64x64 pixels and clip.mkv has 160x96; give a mask of the same shape"),
        ("short.mkv", "The mask short.mkv has 5 frames and clip.mkv has 12"),
        ("text.txt", "text.txt"),
        ("ftp://a/b.png", "ftp:// cannot be fetched"),
        ("mask://" + "0" * 64, "There is no mask 0000"),
    ],
)
def test_what_cannot_be_a_mask_is_refused(clip: Path, tmp_path: Path, mask: str, says: str) -> None:
    Image.new("L", (64, 64)).save(clip.with_name("square.png"))
    make_video(clip.with_name("short.mkv"), 5, size="160x96")
    clip.with_name("text.txt").write_text("no mask")
    place = clip.parent / mask if (clip.parent / mask).is_file() else mask
    store = FolderStore(tmp_path / "store")
    with pytest.raises(Refused, match=says):
        split(wanted(clip, place), store, RUN, 2, 1)
    assert not [*store.below("videos"), *store.below("masks"), *store.below("plans")]
