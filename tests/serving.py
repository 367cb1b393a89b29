"""Servers of the tests' own, as processes on loopback."""

import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from tools.local import free_port

KEY = "simKEY"
START_SECONDS = 60


@dataclass(frozen=True)
class Server:
    """The bundled Algorithmia server."""

    url: str
    data: Path
    pid: int

    def call(self, method: str, path: str, key: str | None = f"Simple {KEY}", **options) -> requests.Response:
        headers = {**({"Authorization": key} if key else {}), **options.pop("headers", {})}
        return requests.request(method, self.url + path, headers=headers, timeout=60, **options)

    def algo(self, name: str, **options) -> dict:
        return self.call("POST", f"/v1/algo/{name}", **options).json()


@contextmanager
def process(*command: str | Path, ready: str, env: dict[str, str] | None = None) -> Iterator[subprocess.Popen]:
    """A server for the length of a `with` block, from when it answers at the address `ready`."""
    child = subprocess.Popen([str(part) for part in command], env=env)
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            assert child.poll() is None, f"{command} ended"
            assert time.monotonic() < deadline, f"{command} did not start"
            try:
                requests.get(ready, timeout=5)
                break
            except requests.RequestException:
                time.sleep(0.1)
        yield child
    finally:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


@contextmanager
def algorithmia_server(data: Path, *options: str, env: dict[str, str] | None = None) -> Iterator[Server]:
    """The bundled server with the user `me` and another one."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    keys = ("--key", KEY, "--key", "other=otherKEY")
    start = (sys.executable, "-m", "algorithmia_server", "--port", str(port), "--data", data, *keys, *options)
    with process(*start, ready=f"{url}/health", env=env) as child:
        yield Server(url, data, child.pid)


@contextmanager
def cutting_proxy(target: str, after: int, times: int) -> Iterator[str]:
    """Hands bytes on to an HTTP server, and cuts some connections after so many bytes; gives its address."""
    host, port = target.removeprefix("http://").split(":")
    left = iter(range(times))

    def hand_on(source: socket.socket, sink: socket.socket, most: float) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while block := source.recv(2**16):
                sink.sendall(block)
                passed += len(block)
                if passed > most and next(left, None) is not None:
                    break
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def accept(listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listening.accept()
                far = socket.create_connection((host, int(port)))
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=hand_on, args=(*pair, after), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=accept, args=(listening,), daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
