"""A server of a video that keeps its last byte back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread


@dataclass(frozen=True)
class HeldBack:
    """Where the video is; whether the last byte is waited for; what lets it go."""

    url: str
    asked: Event = field(default_factory=Event)
    let_go: Event = field(default_factory=Event)


@contextmanager
def held_back(content: bytes) -> Iterator[HeldBack]:
    """Serve it while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[:-1])
            held.asked.set()
            held.let_go.wait()
            self.wfile.write(content[-1:])

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    held = HeldBack(f"http://127.0.0.1:{server.server_port}/clip.mp4")
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield held
    finally:
        held.let_go.set()
        server.shutdown()
        server.server_close()
