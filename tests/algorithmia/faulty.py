"""An endpoint between a client and the bundled server that goes wrong on purpose, once or always."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

HOP = ("connection", "transfer-encoding", "content-length", "keep-alive", "server", "date")


@dataclass
class Faulty:
    """Hands everything on to `target`, but for what `fault` answers; remembers how often each frame was painted."""

    target: str
    fault: "Fault | None" = None
    calls: list[list[str]] = field(default_factory=list)
    """The pictures of each call of an algorithm that was answered well."""
    tried: int = 0
    at_once: int = 0
    most_at_once: int = 0
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def painted(self) -> list[str]:
        return [uri for call in self.calls for uri in call]


@dataclass
class Exchange:
    """One request on its way: `send` answers it; `forward` asks the server that is really there."""

    faulty: Faulty
    handler: BaseHTTPRequestHandler
    body: bytes

    @property
    def is_call(self) -> bool:
        return self.handler.path.startswith("/v1/algo/")

    @property
    def is_painted_picture(self) -> bool:
        return self.handler.command == "GET" and "-painted." in self.handler.path

    def forward(self) -> requests.Response:
        headers = {name: value for name, value in self.handler.headers.items() if name.lower() not in ("host", *HOP)}
        method, url = self.handler.command, self.faulty.target + self.handler.path
        answer = requests.request(method, url, headers=headers, data=self.body, timeout=120)
        if self.is_call and answer.ok and "result" in answer.json():
            with self.faulty.lock:
                self.faulty.calls.append(json.loads(self.body)["images"])
        return answer

    def send(
        self, status: int, body: bytes, kind: str = "application/json", promised: int | None = None, **more
    ) -> None:
        self.handler.send_response(status)
        for name, value in {"Content-Type": kind, **more}.items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.send_header("Content-Length", str(len(body) if promised is None else promised))
        self.handler.end_headers()
        if self.handler.command != "HEAD":
            self.handler.wfile.write(body)
        if promised is not None:
            self.handler.close_connection = True

    def send_json(self, status: int, said: object, **more: str) -> None:
        self.send(status, json.dumps(said).encode(), **more)

    def pass_on(self, answer: requests.Response) -> None:
        kept = {
            name.replace("-", "_"): v
            for name, v in answer.headers.items()
            if name.lower() not in (*HOP, "content-type")
        }
        self.send(answer.status_code, answer.content, answer.headers.get("Content-Type", ""), **kept)


Fault = Callable[[Exchange], bool]
"""Answers an exchange and says so, or leaves it alone."""


def once(fault: Fault) -> Fault:
    """The fault, the first time that it applies."""
    done = threading.Event()

    def first(exchange: Exchange) -> bool:
        if done.is_set():
            return False
        happened = fault(exchange)
        if happened:
            done.set()
        return happened

    return first


@contextmanager
def faulty_endpoint(target: str) -> Iterator[Faulty]:
    faulty = Faulty(target)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            exchange = Exchange(faulty, self, body)
            if exchange.is_call:
                with faulty.lock:
                    faulty.tried += 1
                    faulty.at_once += 1
                    faulty.most_at_once = max(faulty.most_at_once, faulty.at_once)
            try:
                if faulty.fault is None or not faulty.fault(exchange):
                    exchange.pass_on(exchange.forward())
            finally:
                if exchange.is_call:
                    with faulty.lock:
                        faulty.at_once -= 1

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = answer  # noqa: N815

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    faulty.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield faulty
    finally:
        server.shutdown()


def slow(seconds: float) -> Fault:
    def fault(exchange: Exchange) -> bool:
        if exchange.is_call:
            time.sleep(seconds)
        return False

    return fault
