"""What cutting and joining cost beside decoding and encoding the same frames, as ratios of one run."""

import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path

from benchmarks import clips
from benchmarks.stages import RUN, painted_bytes
from rotoscope import formats
from rotoscope.request import Request
from rotoscope.steps.assemble import assemble
from rotoscope.steps.paint import paint_chunk
from rotoscope.steps.split import split
from rotoscope.store.folder import FolderStore

REPEATS = 3
ROOM = 2 * 2**30
CHUNK_FRAMES = 250
"""Ten seconds, a key frame interval: what painting at some eight frames a second gives."""

Show = Callable[[str, str, str], None]


def measure(show: Show) -> None:
    """Print what a split and an assemble take, and how many bytes lie between them."""
    clip = clips.full_hd()
    with tempfile.TemporaryDirectory(dir=_memory()) as folder:
        decoding, splitting = [], []
        for repeat in range(REPEATS):
            decoding.append(_seconds(partial(_ffmpeg, "-i", clip, "-map", "0:v", "-f", "null", "-")))
            store = FolderStore(Path(folder) / f"split-{repeat}")
            splitting.append(_seconds(partial(_split, store, clip)))
            segments = sum(path.stat().st_size for path in store.root.glob("runs/*/segments/*/*"))
            shutil.rmtree(store.root)
        ratio = statistics.median(d / s for d, s in zip(decoding, splitting, strict=True))
        taken = f"{statistics.median(splitting):.2f} s"
        show("split of 10 minutes of 1080p", taken, f"{ratio:.0f} times as fast as decoding; at least 50")
        source = clip.stat().st_size
        show("segments", f"{segments / 1e6:.0f} MB", f"{segments / source:.2f} times the source; at most 3")
    with tempfile.TemporaryDirectory() as folder:
        _join(show, clips.full_hd_minute(), Path(folder))


def _memory() -> str | None:
    """A folder in memory, if there is room: a split writes twice the source, and the disk is not what is measured."""
    held = Path("/dev/shm")
    return str(held) if held.is_dir() and shutil.disk_usage(held).free > ROOM else None


def _split(store: FolderStore, clip: Path, **fields: object) -> str:
    request = {"source": str(clip), "filter": "identity", "chunk_frames": CHUNK_FRAMES, **fields}
    return split(Request.parse(request), store, RUN, slots=2, threads=1)[0]


def _join(show: Show, clip: Path, folder: Path) -> None:
    """Assemble a minute by copy, beside encoding its painted frames in one piece."""
    store = FolderStore(folder / "store")
    kept = _paint(store, clip, keep_painted=True, filter="identity")
    plan = store.get_json(kept)
    lossless, encoded = painted_bytes(store, plan, "lossless"), painted_bytes(store, plan)
    as_mp4 = formats.get("mp4").encoder(quality=None, speed=None, fps=Fraction(25))
    options = [part for name, value in as_mp4.items() for part in (f"-{name}", str(value))]
    copying, encoding = [], []
    for repeat in range(REPEATS):
        copying.append(_seconds(partial(assemble, store, kept, RUN)))
        store.delete(f"results/{plan['result']}")
        target = folder / f"{repeat}.mp4"
        encoding.append(_seconds(partial(_ffmpeg, "-i", clip, "-map", "0:v", *options, target)))
    ratio = statistics.median(e / c for e, c in zip(encoding, copying, strict=True))
    taken, source = f"{statistics.median(copying):.2f} s", clip.stat().st_size
    show("assemble of a minute of 1080p by copy", taken, f"{ratio:.0f} times as fast as encoding; at least 20")
    show("chunks in the delivery codec", f"{encoded / 1e6:.1f} MB", f"{encoded / source:.1f} times the source")
    show("the same, lossless", f"{lossless / 1e6:.1f} MB", f"{lossless / source:.1f} times the source")


def _paint(store: FolderStore, clip: Path, **fields: object) -> str:
    key = _split(store, clip, **fields)
    for index in range(len(store.get_json(key)["chunks"])):
        paint_chunk(store, key, index, RUN, threads=1)
    return key


def _ffmpeg(*arguments: str | Path) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, arguments)], check=True)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
