"""The one runner for ffmpeg and ffprobe: quiet, within a budget, and ended together with whoever started it."""

import contextlib
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from rotoscope.errors import OverBudget, ProcessFailed
from rotoscope.limits import limits

LOG_LINES = 12
BYTES_A_PIXEL = 1600
"""Address space for each pixel of a picture: x265 holds some 60 of them, with its tables."""
BYTES_A_PROCESSOR = 160 * 2**20
"""Address space for each processor: its threads' stacks, and the heap that the C library reserves for each."""
CLOCK = 0.2
"""Seconds by which the kernel's two accounts of processor time may differ."""
PROGRESS = re.compile(
    r"(frame|fps|stream_\d+_\d+_q|bitrate|total_size|out_time\w*|dup_frames|drop_frames|speed|progress)="
)

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
"""Debian's ffmpeg loads OpenBLAS, which starts a thread for each processor before ffmpeg itself begins."""

NOISE = re.compile("read_timestamp failed|Last message repeated")
"""What ffmpeg says of NUT files without an index, as if it mattered."""

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


class Process:
    """A running child in a process group of its own; leaving the `with` block early ends the whole group.

    It ends when the thread that started it ends, however that ends (Linux' parent-death signal), and when it takes
    more than `rotoscope.limits` allow. pixels: of the pictures that it holds; seconds: what it may take, if less than
    others; progress: told the number of frames written so far, some twice a second.

    ```python
    with Process("ffmpeg", stream.get_args(), stdout=True) as child:
        data = child.stdout.read(size)
        child.finish()
    ```
    """

    def __init__(
        self,
        name: str,
        arguments: list[str],
        *,
        stdin: bool = False,
        stdout: bool = False,
        pixels: int = 0,
        seconds: float | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self.name = name
        self._seconds = seconds or limits().child_seconds
        self._took_too_long = False
        self._progress = progress
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        self._folders = _folders(arguments)
        self._child = subprocess.Popen(
            [*_budget(pixels), tool(name), *_quiet(name, stdin, progress is not None), *arguments],
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE if stdout else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, **ONE_THREAD},
            start_new_session=True,
        )
        _running.add(self)
        self._log_reader = threading.Thread(target=self._read_log, daemon=True)
        self._log_reader.start()
        self._timer = threading.Timer(self._seconds, self._end_late)
        self._timer.daemon = True
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
        """Close the child's standard input, wait for its end and raise ProcessFailed if it failed or was ended.

        Raises OverBudget if that was because it took too much.
        """
        if self._child.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # the exit status below says why it stopped reading
                self._child.stdin.close()
        processor_seconds = _processor_seconds(self._child.pid)
        status = self._child.wait()
        self._log_reader.join()
        if status == 0:
            return
        if self._took_too_long:
            raise OverBudget(f"{self.name} was ended after {self._seconds:g} s without a result.", status)
        for over, what in (
            (processor_seconds > limits().child_cpu_seconds - CLOCK, "processor time"),
            (status == -signal.SIGXFSZ or "File too large" in self.log(), "disk space"),
            ("Cannot allocate memory" in self.log(), "memory"),
        ):
            if over:
                raise OverBudget(f"{self.name} wanted more {what} than it may have.", status)
        raise ProcessFailed(f"{self.name} failed with status {status}: {self.log() or 'it gave no reason'}", status)

    def log(self) -> str:
        """The last lines of the child's log in one line, without folders and addresses."""
        return " | ".join(self._log)

    def signal_end(self) -> None:
        """Tell the child's whole process group to end at once, without waiting for it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._timer.cancel()
        if self._child.poll() is None:
            self.signal_end()
            self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        self._log_reader.join()
        _running.discard(self)

    def _end_late(self) -> None:
        self._took_too_long = True
        self.signal_end()

    def _read_log(self) -> None:
        assert self._child.stderr is not None
        with self._child.stderr as lines:
            for raw in lines:
                line = raw.decode(errors="replace").strip()
                if NOISE.search(line):
                    continue
                if not PROGRESS.match(line):
                    self._log.append(_scrubbed(line, self._folders)[:300])
                elif self._progress is not None and line.startswith("frame="):
                    self._progress(int(line.removeprefix("frame=")))


def run(name: str, arguments: list[str], pixels: int = 0) -> None:
    """Run a child to its end; raises ProcessFailed if it fails."""
    with Process(name, arguments, pixels=pixels) as child:
        child.finish()


def kill_all() -> None:
    """End every child of this process: what a cancelled task calls, also from a signal handler.

    It does not wait: the code that the signal interrupted may be waiting already, and holds the lock for that.
    """
    for child in list(_running):
        child.signal_end()


@cache
def version() -> str:
    """The version of the ffmpeg that is used, as it says itself."""
    first = subprocess.run([tool("ffmpeg"), "-version"], capture_output=True, text=True, check=True).stdout
    return first.splitlines()[0].removeprefix("ffmpeg version ").split()[0]


def _quiet(name: str, stdin: bool, progress: bool) -> list[str]:
    options = ["-hide_banner", "-loglevel", "error"]
    if name == "ffmpeg":
        options += ["-y"] if stdin else ["-nostdin", "-y"]
    return options + (["-progress", "pipe:2"] if progress else [])


def _budget(pixels: int) -> list[str]:
    """The command that starts another within limits, which no file can talk it out of."""
    most = limits()
    memory = most.child_memory_bytes + (os.cpu_count() or 1) * BYTES_A_PROCESSOR + pixels * BYTES_A_PIXEL
    wanted = {"as": memory, "cpu": most.child_cpu_seconds, "fsize": most.child_file_bytes, "core": 0}
    held = [f"--{name}={_allowed(name, value)}" for name, value in wanted.items()]
    return [_util("setpriv"), "--pdeathsig", "KILL", _util("prlimit"), *held]


def _allowed(name: str, wanted: int) -> int:
    """At most what this process may have itself."""
    _, hard = resource.getrlimit(getattr(resource, f"RLIMIT_{name.upper()}"))
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)


@cache
def _util(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise ProcessFailed(f"{name} is not installed; install the package util-linux.")
    return found


def _processor_seconds(pid: int) -> float:
    """Wait for a child's end; gives the processor time that it took, as long as nobody has asked for its status."""
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    except (ChildProcessError, FileNotFoundError):
        return 0.0
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _folders(arguments: list[str]) -> list[str]:
    """The folders that these arguments name, longest first."""
    named = {match[1] for one in arguments if (match := re.match(r"(?:file:)?(/.*/)", one))}
    return sorted(named, key=len, reverse=True)


def _scrubbed(line: str, folders: list[str]) -> str:
    """A line of a log without the machine's folders, the user's addresses and the child's pointers."""
    for folder in folders:
        line = line.replace(folder, "")
    return re.sub(r" @ 0x[0-9a-f]+", "", re.sub(r"\b(?!file:)[a-z][a-z0-9+.-]*://\S+", "(address)", line))
