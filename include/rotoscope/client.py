"""Client: our API from outside, as the command speaks it."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
from httpx_sse import connect_sse
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from rotoscope import __version__
from rotoscope.errors import Refused, RotoscopeError

PREFIX = "/rotoscope/api/v1"
PIECE_BYTES = 8 * 2**20
TRIES = 5
SECONDS, LONGEST_WAIT = 120.0, 60

Sent = Callable[[int, int], None]
"""Told how many bytes are sent, of how many."""


class Client:
    """One server and one token.

    server: such as https://paint.example.com; token: a partner key, or a token of Airflow. Every call raises Refused
    with the server's own sentence for what it refuses, RotoscopeError if it cannot be reached or fails.
    """

    def __init__(self, server: str, token: str) -> None:
        headers = {"User-Agent": f"rotoscope/{__version__}"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._http = httpx.Client(base_url=server.rstrip("/"), headers=headers, timeout=SECONDS, follow_redirects=True)
        self.server = server

    @classmethod
    def logged_in(cls, server: str, user: str, password: str) -> "Client":
        """A client with the token that Airflow gives a user for their password."""
        client = cls(server, "")
        said = client._sent("POST", "/auth/token", json={"username": user, "password": password})
        return cls(server, said.json()["access_token"])

    def get(self, path: str, **parameters: Any) -> Any:
        """A resource; parameters that are None are left out."""
        wanted = {name: value for name, value in parameters.items() if value is not None}
        return self._sent("GET", _place(path), params=wanted).json()

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """What a POST answers."""
        return self._sent("POST", _place(path), json=body or {}, headers=headers).json()

    def every(self, path: str, most: int, **parameters: Any) -> Iterator[dict[str, Any]]:
        """The first so many of a list, page after page."""
        cursor: str | None = None
        while most > 0:
            page = self.get(path, limit=min(most, 100), cursor=cursor, **parameters)
            yield from page["items"]
            most, cursor = most - len(page["items"]), page["next_cursor"]
            if cursor is None:
                return

    def upload(self, path: Path, sent: Sent) -> dict[str, Any]:
        """Send a video and wait until it is registered; gives it. What was cut off goes on where it was."""
        size = path.stat().st_size
        video = self.post("/videos", {"upload": {"name": path.name, "bytes": size}})
        etags = self._send(path, size, video, sent)
        made = self.post(video["upload"]["completion"], {"etags": etags}, Prefer="wait=60")
        while made["state"] == "registering":
            time.sleep(1)
            made = self.get(f"/videos/{made['id']}")
        if made["state"] == "failed":
            raise Refused(made["failure"] or "The video cannot be used.")
        return dict(made)

    def events(self, rotoscope_id: str) -> Iterator[dict[str, Any]]:
        """A rotoscope at each step that it makes, at last when it is over; goes on after a broken connection."""
        last, failed = "", 0
        while True:
            headers = {"Last-Event-ID": last} if last else {}
            try:
                with connect_sse(
                    self._http, "GET", _place(f"/rotoscopes/{rotoscope_id}/events"), headers=headers
                ) as sse:
                    _check(sse.response)
                    for event in sse.iter_sse():
                        last, failed = event.id, 0
                        yield event.json()
                        if event.event == "end":
                            return
            except httpx.TransportError as error:
                failed += 1
                if failed > TRIES:
                    raise RotoscopeError(f"{self.server} cannot be reached: {error}.") from None
            time.sleep(min(2**failed, 30))

    def download(self, path: str, target: Path) -> None:
        """Bring a file; it appears at `target` when it is whole."""
        beside = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            with self._http.stream("GET", _place(path)) as answer, beside.open("wb") as file:
                _check(answer)
                for block in answer.iter_bytes():
                    file.write(block)
            beside.replace(target)
        except httpx.TransportError as error:
            raise RotoscopeError(f"{target.name} could not be brought: {error}; try again.") from None
        finally:
            beside.unlink(missing_ok=True)

    def _send(self, path: Path, size: int, video: dict[str, Any], sent: Sent) -> list[str]:
        upload = video["upload"]
        with path.open("rb") as file:
            if upload["method"] == "put":
                return self._send_pieces(file, size, video, sent)
            etags = []
            for number, url in enumerate(upload["urls"]):
                piece = file.read(upload["part_bytes"])
                etags.append(_retrying(_put_part, url, piece))
                sent(min(size, (number + 1) * upload["part_bytes"]), size)
            return etags

    def _send_pieces(self, file: Any, size: int, video: dict[str, Any], sent: Sent) -> list[str]:
        place, received = video["upload"]["url"], 0

        def send_next() -> int:
            begin = int(self.get(f"/videos/{video['id']}")["upload"]["received"])
            file.seek(begin)
            piece = file.read(PIECE_BYTES)
            headers = {"Content-Range": f"bytes {begin}-{begin + len(piece) - 1}/{size}"}
            self._sent("PUT", place, content=piece, headers=headers)
            return begin + len(piece)

        while received < size:
            received = _retrying(send_next)
            sent(received, size)
        return []

    def _sent(self, method: str, path: str, **options: Any) -> httpx.Response:
        for _ in range(TRIES):
            try:
                answer = self._http.request(method, path, **options)
            except httpx.TransportError as error:
                raise Unreached(
                    f"{self.server} cannot be reached: {error}; check the address, and that it runs."
                ) from None
            wait = answer.headers.get("Retry-After", "")
            if answer.status_code != 429 or not wait.isdigit() or int(wait) > LONGEST_WAIT:
                break
            time.sleep(int(wait))  # so many requests a minute; they will be allowed again
        _check(answer)
        return answer


class Unreached(RotoscopeError):
    """A connection failed; it may work the next time."""


def _put_part(url: str, piece: bytes) -> str:
    try:
        answer = httpx.put(url, content=piece, timeout=SECONDS)
    except httpx.TransportError as error:
        raise Unreached(f"The bucket cannot be reached: {error}.") from None
    _check(answer)
    return answer.headers["ETag"]


def _retrying(work: Callable[..., Any], *arguments: Any) -> Any:
    attempts = Retrying(
        retry=retry_if_exception_type(Unreached),
        stop=stop_after_attempt(TRIES),
        wait=wait_exponential(max=30),
        reraise=True,
    )
    return attempts(work, *arguments)


def _check(answer: httpx.Response) -> None:
    """Raises Refused for what the server refuses, RotoscopeError if it fails."""
    if answer.is_success:
        return
    answer.read()
    try:
        document = answer.json()
        said = document.get("detail") or document.get("title")
    except ValueError:
        said = None
    sentence = str(said or f"The server answers {answer.status_code} at {answer.request.url}.")
    raise (RotoscopeError if answer.status_code >= 500 else Refused)(sentence)


def _place(path: str) -> str:
    return path if path.startswith(PREFIX) else PREFIX + path
