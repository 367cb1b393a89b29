"""What calls at once bring at an endpoint that takes its time, as a ratio of one run."""

import json
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from rotoscope.algorithmia.calls import Caller
from rotoscope.algorithmia.client import Client
from rotoscope.algorithmia.data import DataApi
from rotoscope.algorithmia.desk import Desk
from rotoscope.algorithmia.endpoint import Endpoint
from rotoscope.algorithmia.gate import Gate
from rotoscope.algorithmia.paid import PaidFrames
from rotoscope.algorithmia.painter import RemotePainter
from rotoscope.algorithmia.spending import Ledger
from rotoscope.filters.catalogue import get
from rotoscope.store.folder import FolderStore

CALL_SECONDS = 0.2
AT_ONCE = 16
FRAMES = 800
ALONE = 40
"""Frames that one call at a time is measured with, since each takes as long as the others."""
REPEATS = 3

Show = Callable[[str, str, str], None]


def measure(show: Show) -> None:
    """Print how much faster 16 calls at once are than one."""
    ratios = []
    with _endpoint() as url:
        for _ in range(REPEATS):
            alone, together = _speed(url, 1, ALONE), _speed(url, AT_ONCE, FRAMES)
            ratios.append(together / alone)
    said = f"{statistics.median(ratios):.1f} times as fast as one; at least 12.8"
    show(f"{AT_ONCE} calls at once of {CALL_SECONDS:g} s", f"{together:.1f} frames/s", said)


def _speed(url: str, at_once: int, frames: int) -> float:
    """Frames a second, painted one a call."""
    with TemporaryDirectory() as folder:
        store = FolderStore(Path(folder))
        filter, endpoint = get("deepfilter").with_model("any"), Endpoint(Client(url, "key", connections=at_once))
        desk = Desk(DataApi(endpoint.client), f"data://.my/{at_once}-{time.monotonic_ns()}", "png")
        gate = Gate(at_once, 1)
        caller = Caller(endpoint.client, filter, desk, gate, Ledger(store, "run", "desk", endpoint.prices, 1), 1)
        painter = RemotePainter(desk, PaidFrames(store, "painting"), caller, gate)
        frame = np.zeros((36, 64, 3), np.uint8)
        start = time.perf_counter()
        for _ in painter((index, frame) for index in range(frames)):
            pass
        return frames / (time.perf_counter() - start)


@contextmanager
def _endpoint() -> Iterator[str]:
    """An endpoint that waits and gives pictures back as they came, so that nothing but waiting is measured."""
    files: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._send(200, *_said(files, self.command, self.path.partition("?")[0], body))

        def _send(self, status: int, kind: str, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("X-Data-Type", "file" if kind == "image/png" else "directory")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer  # noqa: N815

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=partial(server.serve_forever, 0.05), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()


def _said(files: dict[str, bytes], method: str, path: str, body: bytes) -> tuple[str, bytes]:
    if path.startswith("/v1/algo/"):
        asked = json.loads(body)
        time.sleep(CALL_SECONDS)
        for source, target in zip(asked["images"], asked["savePaths"], strict=True):
            files[_path(target)] = files[_path(source)]
        said = {"result": {"savePaths": asked["savePaths"]}, "metadata": {"duration": CALL_SECONDS}}
        return "application/json", json.dumps(said).encode()
    if method == "PUT":
        files[path] = body
    if method == "GET" and path in files:
        return "image/png", files[path]
    return "application/json", b"{}"


def _path(uri: str) -> str:
    return uri.replace("data://", "/v1/data/")
