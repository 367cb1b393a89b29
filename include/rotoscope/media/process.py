"""The one runner for ffmpeg and ffprobe: quiet, guarded, and ended together with whoever started it."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import ffmpeg

from rotoscope.errors import ProcessFailed

# Demuxers for what a person may call a video. Playlists, scripts and single pictures stay out: a playlist named
# `.mp4` would make ffmpeg read other files.
CONTAINERS = "mov,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,ogg,asf,gif,mxf,nut,ivf,h264,hevc,m4v,dv,apng"
LOG_LINES = 12

_running: set["Process"] = set()


def tool(name: str) -> str:
    """Path of `ffmpeg` or `ffprobe`: beside this interpreter first, so that a virtual environment can carry its own.

    Raises ProcessFailed if there is none.
    """
    beside = str(Path(sys.executable).parent)
    found = shutil.which(name, path=os.pathsep.join([beside, os.environ.get("PATH", os.defpath)]))
    if found is None:
        raise ProcessFailed(f"{name} is not installed; install it with `make setup` or your package manager.")
    return found


def source(path: Path, **options: Any) -> Any:
    """An ffmpeg-python input that can only ever read this one local file, whatever the file says inside."""
    return ffmpeg.input(f"file:{path}", protocol_whitelist="file,pipe", format_whitelist=CONTAINERS, **options)


class Process:
    """A running child in a process group of its own; leaving the `with` block early ends the whole group.

    limit: seconds after which it is ended, whatever it does.

    ```python
    with Process("ffmpeg", stream.get_args(), stdout=True) as child:
        data = child.stdout.read(size)
        child.finish()
    ```
    """

    def __init__(
        self, name: str, arguments: list[str], *, stdin: bool = False, stdout: bool = False, limit: float | None = None
    ) -> None:
        quiet = ["-hide_banner", "-loglevel", "error"] + (["-nostdin", "-y"] if name == "ffmpeg" else [])
        if stdin:
            quiet.remove("-nostdin")
        self.name = name
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        self._child = subprocess.Popen(
            [tool(name), *quiet, *arguments],
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE if stdout else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        _running.add(self)
        self._log_reader = threading.Thread(target=self._read_log, daemon=True)
        self._log_reader.start()
        self._limit = limit
        self._timer = threading.Timer(limit or threading.TIMEOUT_MAX, self.signal_end)
        if limit is not None:
            self._timer.start()

    @property
    def stdin(self) -> IO[bytes]:
        assert self._child.stdin is not None
        return self._child.stdin

    @property
    def stdout(self) -> IO[bytes]:
        assert self._child.stdout is not None
        return self._child.stdout

    def finish(self) -> None:
        """Close the child's standard input, wait for its end and raise ProcessFailed if it failed or was ended."""
        if self._child.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # the exit status below says why it stopped reading
                self._child.stdin.close()
        status = self._child.wait()
        self._log_reader.join()
        if status == -signal.SIGKILL and self._limit is not None:
            raise ProcessFailed(f"{self.name} was ended after {self._limit:.0f} s without a result.", status)
        if status != 0:
            raise ProcessFailed(f"{self.name} failed with status {status}: {self.log() or 'it gave no reason'}", status)

    def log(self) -> str:
        """The last lines of the child's log, in one line."""
        return " | ".join(self._log)

    def signal_end(self) -> None:
        """Tell the child's whole process group to end at once, without waiting for it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)

    def kill(self) -> None:
        """End the child's whole process group at once."""
        self.signal_end()
        self._child.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._timer.cancel()
        if self._child.poll() is None:
            self.kill()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        self._log_reader.join()
        _running.discard(self)

    def _read_log(self) -> None:
        assert self._child.stderr is not None
        with self._child.stderr as lines:
            for line in lines:
                self._log.append(line.decode(errors="replace").strip()[:300])


def run(name: str, arguments: list[str]) -> None:
    """Run a child to its end; raises ProcessFailed if it fails."""
    with Process(name, arguments) as child:
        child.finish()


def kill_all() -> None:
    """End every child of this process: what a cancelled task calls, also from a signal handler.

    It does not wait: the code that the signal interrupted may be waiting already, and holds the lock for that.
    """
    for child in list(_running):
        child.signal_end()


def version() -> str:
    """The version of the ffmpeg that is used, as it says itself."""
    first = subprocess.run([tool("ffmpeg"), "-version"], capture_output=True, text=True, check=True).stdout
    return first.splitlines()[0].removeprefix("ffmpeg version ").split()[0]
