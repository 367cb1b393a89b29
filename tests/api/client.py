"""A caller of the API in the tests: plain HTTP, as anybody would."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

PREFIX = "/rotoscope/api/v1"
WAIT = {"Prefer": "wait=60"}


@dataclass(frozen=True)
class Caller:
    """base: the server's address; token: None for nobody."""

    base: str
    token: str | None

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {**({"Authorization": f"Bearer {self.token}"} if self.token else {}), **options.pop("headers", {})}
        place = path if path.startswith(PREFIX) else PREFIX + path
        return requests.request(method, self.base + place, headers=headers, timeout=90, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.call("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> requests.Response:
        return self.call("POST", path, json={} if body is None else body, **options)

    def made(self, path: str, body: Any, **options: Any) -> dict[str, Any]:
        """What a POST made, when it is over."""
        answer = self.post(path, body, **{"headers": WAIT, **options})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def uploaded(self, path: Path) -> dict[str, Any]:
        """A video that was uploaded as its resource says, in two pieces where it may be."""
        content = path.read_bytes()
        video = self.made("/videos", {"upload": {"name": path.name, "bytes": len(content)}})
        assert video["state"] == "awaiting_upload"
        etags = send(self, video["upload"], content)
        return self.made(video["upload"]["completion"], {"etags": etags})

    def until(self, path: str, state: str, seconds: float = 90) -> dict[str, Any]:
        """A resource when it has this state."""
        deadline = time.monotonic() + seconds
        while (found := self.get(path).json())["state"] != state:
            assert time.monotonic() < deadline, found
            time.sleep(0.2)
        return found


def send(caller: Caller, upload: dict[str, Any], content: bytes) -> list[str]:
    """Send a file; gives the ETags of its parts, if it has parts."""
    if upload["method"] == "parts":
        size = upload["part_bytes"]
        pieces = [content[start : start + size] for start in range(0, len(content), size)]
        return [requests.put(url, piece, timeout=60).headers["ETag"] for url, piece in zip(upload["urls"], pieces)]
    half = len(content) // 2
    for begin, piece in ((0, content[:half]), (half, content[half:])):
        ranged = {"Content-Range": f"bytes {begin}-{begin + len(piece) - 1}/{len(content)}"}
        assert caller.call("PUT", upload["url"], data=piece, headers=ranged).status_code == 200
    return []


def events(answer: requests.Response) -> list[dict[str, str]]:
    """The server-sent events of an answer, as they came, until it ended."""
    found: list[dict[str, str]] = [{}]
    for line in answer.iter_lines(decode_unicode=True):
        if not line and found[-1]:
            found.append({})
        elif line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            found[-1][name] = value
    return [event for event in found if event]
