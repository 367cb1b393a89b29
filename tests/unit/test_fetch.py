"""Sources from URLs: fetched whole, resumed, hashed; and never from where they must not come."""

import hashlib
import http.server
import ipaddress
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rotoscope import fetch
from rotoscope.errors import Refused

CONTENT = bytes(range(256)) * 4096  # a megabyte


class Handler(http.server.BaseHTTPRequestHandler):
    """A file at /file, cut off twice at /broken, redirects at /to?..., and answers that cannot be used."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Range")))
        if self.path.startswith("/to?"):
            self.send_response(302)
            self.send_header("Location", self.path.partition("?")[2])
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path == "/gone":
            self.send_error(404)
        elif self.path == "/loop":
            self.send_response(302)
            self.send_header("Location", "/loop")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._file(broken=self.path == "/broken" and len(self.server.asked) < 3)

    def _file(self, broken: bool) -> None:
        begin = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").rstrip("-"))
        rest = CONTENT[begin:]
        self.send_response(206 if begin else 200)
        self.send_header("ETag", '"one"')
        self.send_header("Content-Length", str(len(rest)))
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.end_headers()
        self.wfile.write(rest[:300_000] if broken else rest)
        if broken:
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[http.server.ThreadingHTTPServer]:
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.asked = []
    threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
    yield running
    running.shutdown()


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "WAIT_SECONDS", 0.01)


@pytest.fixture
def home(server: http.server.ThreadingHTTPServer, set_limit) -> str:
    """The server's address, allowed."""
    set_limit("FETCH_NETWORKS", "127.0.0.0/8")
    return f"http://127.0.0.1:{server.server_port}"


def test_a_file_is_fetched_and_hashed(home: str, tmp_path: Path) -> None:
    assert fetch.fetch(f"{home}/file", tmp_path / "x") == hashlib.sha256(CONTENT).hexdigest()
    assert (tmp_path / "x").read_bytes() == CONTENT


def test_a_transfer_that_is_cut_off_goes_on_where_it_ended(home: str, tmp_path: Path, server) -> None:
    assert fetch.fetch(f"{home}/broken", tmp_path / "x") == hashlib.sha256(CONTENT).hexdigest()
    assert (tmp_path / "x").read_bytes() == CONTENT
    begins = [int((begin or "bytes=0-")[6:-1]) for _, begin in server.asked]
    assert begins[0] == 0 < begins[1] < begins[2], "nothing that came is asked for again, but for half a block"


def test_a_redirect_is_followed(home: str, tmp_path: Path) -> None:
    fetch.fetch(f"{home}/to?/file", tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/gone", "the server answers 404"),
        ("/loop", "redirects more than 5 times"),
        ("/to?file:///etc/passwd", "is not at an http"),
        ("/to?ftp://127.0.0.1/x", "is not at an http"),
    ],
)
def test_an_answer_that_cannot_be_used_is_refused(home: str, tmp_path: Path, path: str, says: str) -> None:
    with pytest.raises(Refused, match=says):
        fetch.fetch(home + path, tmp_path / "x")


def test_a_file_that_is_too_large_or_too_slow_is_refused(home: str, tmp_path: Path, set_limit) -> None:
    set_limit("FETCH_BYTES", "1000")
    with pytest.raises(Refused, match="is larger than 1000 bytes"):
        fetch.fetch(f"{home}/file", tmp_path / "x")
    set_limit("FETCH_BYTES", "10000000")
    set_limit("FETCH_SECONDS", "0.000001")
    with pytest.raises(Refused, match="takes longer than"):
        fetch.fetch(f"{home}/file", tmp_path / "x")


LOOPBACK = [
    *("127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001"),
    *("0", "0.0.0.0", "127.255.255.254", "localhost", "LOCALHOST", "localhost.", "[::1]", "[::]"),
    *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[::127.0.0.1]"),
    *("①②⑦.⓪.⓪.①", "127。0。0。1", "me:word@127.0.0.1", "example.com@127.0.0.1"),
]


@pytest.mark.parametrize("host", LOOPBACK)
def test_loopback_is_not_asked_however_it_is_written(server, tmp_path: Path, host: str) -> None:
    with pytest.raises((Refused, fetch.FetchFailed)):
        fetch.fetch(f"http://{host}:{server.server_port}/file", tmp_path / "x")
    assert server.asked == []


@pytest.mark.parametrize("host", LOOPBACK)
def test_loopback_is_not_asked_after_a_redirect(
    server, tmp_path: Path, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first address may be asked, what it redirects to may not."""
    first = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    first.asked = []
    threading.Thread(target=first.serve_forever, args=(0.01,), daemon=True).start()
    allowed = fetch._connect

    def connect(name: str, port: int, timeout: object) -> socket.socket:
        if (name, port) == ("public.test", 80):
            return socket.create_connection(first.server_address)
        return allowed(name, port, timeout)

    monkeypatch.setattr(fetch, "_connect", connect)
    bare = host.replace("①②⑦.⓪.⓪.①", "127.0.0.1").replace("。", ".")
    with pytest.raises((Refused, fetch.FetchFailed)):
        fetch.fetch(f"http://public.test/to?http://{bare}:{server.server_port}/file", tmp_path / "x")
    assert first.asked
    assert server.asked == []
    first.shutdown()


def test_a_name_that_changes_its_address_is_checked_where_it_connects(
    server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first look-up gives a public address, every later one loopback: only what was checked is connected to."""
    answers = iter(["93.184.216.34"])
    connected = []

    def getaddrinfo(host: str, port: int, **options: object) -> list:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers, "127.0.0.1"), port))]

    def connect(self: socket.socket, place: tuple[str, int]) -> None:
        connected.append(place[0])
        raise OSError("unreachable")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(Refused, match="is not a public address"):
        fetch.fetch(f"http://rebinding.test:{server.server_port}/file", tmp_path / "x")
    assert connected == ["93.184.216.34"]
    assert server.asked == []


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        *((text, False) for text in ("10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1")),
        *(
            (text, False)
            for text in ("127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1")
        ),
        *((text, False) for text in ("::1", "::", "fe80::1", "fd00:ec2::254", "ff02::1", "2001:db8::1")),
        *((text, False) for text in ("::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::")),
        ("2001:0:4136:e378:8000:63bf:80ff:fffe", False),
    ],
)
def test_only_public_addresses_are_asked(address: str, allowed: bool) -> None:
    assert fetch.is_allowed(ipaddress.ip_address(address)) == allowed


def test_a_network_can_be_allowed(set_limit) -> None:
    set_limit("FETCH_NETWORKS", "10.0.0.0/8, 172.16.0.0/12")
    assert fetch.is_allowed(ipaddress.ip_address("10.1.2.3"))
    assert not fetch.is_allowed(ipaddress.ip_address("192.168.1.1"))


def test_a_proxy_in_the_environment_is_not_asked(home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    fetch.fetch(f"{home}/file", tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == CONTENT
