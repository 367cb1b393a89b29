"""A proxy before the S3 server that can be told to fail."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

Mood = Literal["well", "busy", "slow", "cut"]
BUSY = b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
BLOCK = 2**16
PAUSE = 0.3
CUT_AFTER = 20_000


class Proxy:
    """Hands bytes on to a server as its mood is: 503 to all, a pause with each block, or a cut after some bytes."""

    def __init__(self) -> None:
        self.mood: Mood = "well"
        self.target: tuple[str, int] = ("127.0.0.1", 0)
        self.hit = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    @contextmanager
    def being(self, mood: Mood) -> Iterator[None]:
        self.mood, self.hit = mood, 0
        try:
            yield
        finally:
            self.mood = "well"

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with contextlib.suppress(OSError), near, socket.create_connection(self.target) as far:
            back = threading.Thread(target=self._hand_on, args=(far, near), daemon=True)
            back.start()
            self._hand_on(near, far)
            back.join()

    def _hand_on(self, source: socket.socket, sink: socket.socket) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while block := source.recv(BLOCK):
                if self.mood == "busy":
                    self.hit += 1
                    (source if sink.getpeername() == self.target else sink).sendall(BUSY)
                    break
                if self.mood == "slow":
                    self.hit += 1
                    time.sleep(PAUSE)
                sink.sendall(block)
                passed += len(block)
                if self.mood == "cut" and passed > CUT_AFTER:
                    self.hit += 1
                    break
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
