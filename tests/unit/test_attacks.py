"""Files made to hurt: each attack works on plain ffmpeg and fails on ours."""

import os
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image

from rotoscope.errors import OverBudget, ProcessFailed, Refused
from rotoscope.formats import Format, formats
from rotoscope.media import pictures, process
from rotoscope.media.guard import source
from rotoscope.media.source import open_source
from rotoscope.request import Request
from rotoscope.steps.split import split
from rotoscope.store.folder import FolderStore
from tests.media import ffmpeg, make_video


class Visited(BaseHTTPRequestHandler):
    """Answers everything, and remembers what was asked for."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    running = ThreadingHTTPServer(("127.0.0.1", 0), Visited)
    running.asked = []
    threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
    yield running
    running.shutdown()


LISTS = ["-allowed_extensions", "ALL"]
if process.version().strip("n") > "7":  # newer ffmpegs look at the names in a playlist, until they are told not to
    LISTS += ["-extension_picky", "0", "-allowed_segment_extensions", "ALL", "-f", "hls"]


def plain(path: Path, *options: str) -> str:
    done = subprocess.run(
        ["ffmpeg", "-v", "error", *options, "-i", path, "-f", "framecrc", "-"], capture_output=True, text=True
    )
    return done.stdout


def playlist(path: Path, address: str) -> Path:
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{address}\n#EXT-X-ENDLIST\n")
    return path


def test_a_playlist_reads_no_other_file(tmp_path: Path, clip: Path) -> None:
    secret = tmp_path / "secret.ts"
    ffmpeg("-i", clip, "-c", "copy", secret)
    innocent = playlist(tmp_path / "innocent.mp4", f"file://{secret}")
    assert plain(innocent, *LISTS).count("\n") > 48, "plain ffmpeg shows the secret"
    with pytest.raises(Refused, match="is not a video that can be read"):
        open_source(innocent, tmp_path)


def test_a_playlist_asks_no_server(tmp_path: Path, server: ThreadingHTTPServer) -> None:
    innocent = playlist(tmp_path / "innocent.mp4", f"http://127.0.0.1:{server.server_port}/plain.ts")
    plain(innocent, "-protocol_whitelist", "file,http,tcp", *LISTS)
    assert "/plain.ts" in server.asked, "plain ffmpeg, as it is used for URLs, asks"
    server.asked.clear()
    with pytest.raises(Refused):
        open_source(innocent, tmp_path)
    assert server.asked == []


def test_a_list_of_files_to_join_reads_no_other_file(tmp_path: Path, clip: Path) -> None:
    innocent = tmp_path / "innocent.mp4"
    innocent.write_text(f"ffconcat version 1.0\nfile '{clip.name}'\n")
    (tmp_path / clip.name).write_bytes(clip.read_bytes())
    assert plain(innocent).count("\n") > 48, "plain ffmpeg shows the other file"
    with pytest.raises(Refused, match="is not a video that can be read"):
        open_source(innocent, tmp_path)


def test_a_movie_that_refers_to_another_file_reads_nothing_of_it(tmp_path: Path, clip: Path) -> None:
    """QuickTime's external references (`dref` of type `alis` or `url `) are off, as ffmpeg has them."""
    movie = tmp_path / "movie.mov"
    ffmpeg("-i", clip, "-c", "copy", movie)
    data = movie.read_bytes().replace(b"url \0\0\0\1", b"url \0\0\0\0")
    movie.write_bytes(data)
    frames = plain(movie)
    source_ = open_source(movie, tmp_path)[0]
    assert source_.video.frames == 48
    assert frames


def test_an_enormous_picture_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "large.mkv"
    ffmpeg("-f", "lavfi", "-i", "color=size=9000x4000:rate=24", "-frames:v", "1", "-c:v", "mjpeg", path)
    assert plain(path).count("\n") > 1, "plain ffmpeg decodes it"
    with pytest.raises(Refused, match="has pictures of 9000x4000; make them smaller"):
        open_source(path, tmp_path)


def test_a_picture_that_grows_on_its_way_is_not_decoded(tmp_path: Path, set_limit: Callable[[str, str], None]) -> None:
    """The header promises a small picture, the stream turns large: the decoder is told the most pixels."""
    small = make_video(tmp_path / "small.ts", frames=12, size="64x64", sound=None)
    large = make_video(tmp_path / "large.ts", frames=12, size="1280x720", sound=None)
    both = tmp_path / "both.ts"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    assert plain(both).count("\n") > 24, "plain ffmpeg decodes both"
    set_limit("MAX_PIXELS", str(320 * 240))
    process.run("ffmpeg", source(small, "mpegts")["v"].output("pipe:2", format="null").get_args())
    large_only = source(large, "mpegts")["v"].output("pipe:2", format="null", xerror=None).get_args()
    with pytest.raises(ProcessFailed):
        process.run("ffmpeg", large_only)


@pytest.mark.parametrize(
    ("limit", "value", "says"),
    [
        ("MAX_FRAMES", "47", "has more frames than 47, the most"),
        ("MAX_SECONDS", "1", "lasts 00:01; the most is 00:01"),
        ("MAX_STREAMS", "1", "has 2 streams; the most is 1"),
        ("MAX_PIXELS", "14399", "has pictures of 160x90"),
        ("MAX_VIDEO_PIXELS", "691199", "pixels in all its frames"),
    ],
)
def test_a_source_over_the_limits_is_refused_at_once(
    clip: Path, tmp_path: Path, set_limit: Callable[[str, str], None], limit: str, value: str, says: str
) -> None:
    open_source(clip, tmp_path)
    set_limit(limit, value)
    with pytest.raises(Refused, match=says):
        open_source(clip, tmp_path)


ENDLESS = ["-f", "lavfi", "-i", "testsrc2=size=1280x720", "-f", "null", "-"]
GREEDY = ["-f", "lavfi", "-i", "color=size=8000x8000", "-vf", "loop=-1:200:0,reverse", "-f", "null", "-"]


@pytest.mark.parametrize(
    ("limit", "value", "arguments", "says"),
    [
        ("CHILD_CPU_SECONDS", "1", ENDLESS, "wanted more processor time"),
        ("CHILD_SECONDS", "1", ENDLESS, "was ended after 1 s"),
        ("CHILD_MEMORY_BYTES", str(2**28), GREEDY, "wanted more memory"),
    ],
)
def test_a_child_that_wants_too_much_is_ended(
    set_limit: Callable[[str, str], None], limit: str, value: str, arguments: list[str], says: str
) -> None:
    set_limit(limit, value)
    with pytest.raises(OverBudget, match=says):
        process.run("ffmpeg", arguments)


def test_a_child_that_writes_too_much_is_ended(set_limit: Callable[[str, str], None], tmp_path: Path) -> None:
    set_limit("CHILD_FILE_BYTES", "1000000")
    raw = ["-f", "lavfi", "-i", "testsrc2=size=1280x720", "-c:v", "rawvideo", "-f", "nut", f"file:{tmp_path / 'raw'}"]
    with pytest.raises(ProcessFailed):
        process.run("ffmpeg", raw)
    assert (tmp_path / "raw").stat().st_size <= 1_000_000


ORPHANED = f"""
import sys, time
from rotoscope.media import process
child = process.Process("ffmpeg", {["-re", *ENDLESS]!r})
print(child._child.pid, flush=True)
time.sleep(60)
"""


def test_a_child_ends_with_a_parent_that_was_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", ORPHANED], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    while Path(f"/proc/{child}/comm").read_text().strip() != "ffmpeg":  # before, it has not yet asked to end with it
        threading.Event().wait(0.01)
    parent.kill()
    parent.wait()
    for _ in range(100):
        if not _runs(child):
            return
        threading.Event().wait(0.05)
    pytest.fail("ffmpeg outlived whoever started it")


def _runs(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_an_error_names_neither_folders_nor_addresses(tmp_path: Path) -> None:
    folder = tmp_path / "very secret place"
    folder.mkdir()
    (folder / "v.mp4").write_text("no video")
    with pytest.raises(ProcessFailed) as failure:
        process.run(
            "ffmpeg", ["-i", f"file:{folder / 'v.mp4'}", "-i", "http://me:word@127.0.0.1:1/x", "-f", "null", "-"]
        )
    assert "secret" not in str(failure.value)
    assert "v.mp4" in str(failure.value)


def test_a_name_that_is_a_command_or_a_pattern_is_a_name(tmp_path: Path, clip: Path, store: FolderStore) -> None:
    for name in ("-i.mp4", "%d 'x'; rm -rf.mp4", "a:b,c[d]=e.mp4", "concat:a|b.mp4", "naïve\n.mp4"):
        path = tmp_path / name
        path.write_bytes(clip.read_bytes())
        _, plan = split(Request.parse({"source": str(path), "filter": "identity"}), store, name, 1, 1)
        assert len(plan.chunks) == 1


class Bomb:
    """A PNG of 30000 x 30000 pixels in a few bytes."""

    @cached_property
    def data(self) -> bytes:
        def chunk(kind: bytes, data: bytes) -> bytes:
            return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

        header = chunk(b"IHDR", struct.pack(">IIBBBBB", 30000, 30000, 8, 2, 0, 0, 0))
        return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_a_decompression_bomb_is_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(Bomb().data)
    with pytest.raises(Image.DecompressionBombError), Image.open(path):
        pass
    assert pictures.kind(path) is None
    with pytest.raises(Refused):
        open_source(path, tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"video": {"vcodec": "libx264", "filter_complex": "movie=/etc/passwd"}},
        {"video": {"vcodec": "libx264", "x264-params": "stats=/tmp/x"}},
        {"video": {"vcodec": "rawvideo"}},
        {"muxer_options": {"segment_list": "/tmp/x"}},
        {"converts": {"audio": {"c": "aac", "f": "tee"}}},
    ],
)
def test_a_format_cannot_name_files_or_unknown_encoders(change: dict) -> None:
    document = formats()["mp4"].model_dump()
    Format.model_validate(document)
    with pytest.raises(ValueError, match="may"):
        Format.model_validate(document | change)


def test_no_attack_leaves_a_process_behind() -> None:
    mine = [entry for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    children = [entry for entry in mine if _parent(entry) == os.getpid()]
    assert not [entry for entry in children if "ffmpeg" in (entry / "cmdline").read_text()]


def _parent(entry: Path) -> int | None:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return None
