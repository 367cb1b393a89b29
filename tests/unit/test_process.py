import subprocess
import sys
import time

import pytest

from rotoscope.errors import ProcessFailed
from rotoscope.media import process

ENDLESS = ["-re", "-f", "lavfi", "-i", "testsrc2=size=64x64", "-f", "null", "-"]

CANCELLED = f"""
import signal
from rotoscope.media import process
signal.signal(signal.SIGALRM, lambda number, frame: process.kill_all())
signal.setitimer(signal.ITIMER_REAL, 0.5)
process.run("ffmpeg", {ENDLESS!r})
"""


def test_a_child_that_takes_too_long_is_ended() -> None:
    start = time.monotonic()
    with (
        process.Process("ffmpeg", ENDLESS, seconds=0.5) as child,
        pytest.raises(ProcessFailed, match="was ended after"),
    ):
        child.finish()
    assert time.monotonic() - start < 10


def test_leaving_the_block_ends_the_child() -> None:
    with process.Process("ffmpeg", ENDLESS) as child:
        pass
    with pytest.raises(ProcessFailed, match="status -9"):
        child.finish()


def test_a_signal_handler_can_end_a_child_that_is_waited_for() -> None:
    done = subprocess.run([sys.executable, "-c", CANCELLED], capture_output=True, text=True, timeout=30)
    assert "ffmpeg failed with status -9" in done.stderr


def test_a_failure_carries_the_last_lines_of_the_log() -> None:
    with pytest.raises(ProcessFailed, match="No such file or directory"):
        process.run("ffmpeg", ["-i", "nowhere.mp4", "-f", "null", "-"])
