"""A caller of one Algorithmia endpoint: its connections, its key, and what its answers mean."""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from rotoscope import __version__
from rotoscope.algorithmia.errors import AlgorithmiaError, BadCredentials, ConnectionLost, NoJson, TimedOut, kind_of
from rotoscope.errors import Refused

ALGORITHM = re.compile(r"(algo://)?/?(?P<path>[\w.-]+/[\w.-]+(/[\w.*-]+)?)/?")
CONNECT_SECONDS = 10.0
PATIENCE_SECONDS = 30.0
"""For the answer, beyond what the algorithm may take itself."""
LONGEST_CALL = 3000
"""Seconds: the most that the protocol allows."""

Output = Literal["raw", "void"]


@dataclass(frozen=True)
class Answer:
    """What a call gave. seconds: of computing, as the endpoint counts them; sent, received: bytes of the bodies."""

    result: Any
    content_type: str
    seconds: float
    sent: int
    received: int


class _Simple(AuthBase):
    """The documented way to show a key. As an `auth` it is stronger than any ~/.netrc."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Simple {self._key}"
        return request


class Client:
    """One endpoint, over connections that are kept open; from several threads at once.

    address: such as `https://api.example.com`, without `/v1`; connections: kept open at once. Raises Refused for an
    address that is none.
    """

    def __init__(self, address: str, key: str, *, timeout: float = 300, connections: int = 16) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise Refused(f"An Algorithmia address looks like https://api.example.com, not like {parts.hostname!r}.")
        self.address = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/').removesuffix('/v1')}"
        self.timeout = min(timeout, LONGEST_CALL)
        self._http = requests.Session()
        self._http.auth = _Simple(key)
        self._http.headers["User-Agent"] = f"rotoscope/{__version__}"
        adapter = HTTPAdapter(pool_maxsize=connections, pool_block=True)
        self._http.mount("http://", adapter)
        self._http.mount("https://", adapter)

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def call(self, algorithm: str, input: Any, *, timeout: float | None = None, output: Output | None = None) -> Answer:
        """Call an algorithm: `owner/name`, with or without `algo://` before and a version behind.

        input: bytes go as binary, a string as text, anything else as JSON. timeout: seconds that it may take. With
        the output `void` the answer comes at once, with nothing; with `raw` the result is the bare bytes.
        Raises Refused for a name that is none, and a kind of AlgorithmiaError for each kind of failure.
        """
        found = ALGORITHM.fullmatch(algorithm)
        if found is None:
            raise Refused(f"{algorithm!r} is no algorithm; write algo://owner/name or algo://owner/name/version.")
        seconds = min(timeout or self.timeout, LONGEST_CALL)
        body, kind = _body(input)
        query: dict[str, Any] = {"timeout": round(seconds)} | ({"output": output} if output else {})
        path = f"/v1/algo/{quote(found['path'], safe='/*')}"
        headers = {"Content-Type": kind}
        said = self.request("POST", path, params=query, data=body, headers=headers, seconds=seconds)
        if output == "raw":
            return Answer(said.content, said.headers.get("Content-Type", ""), 0.0, len(body), len(said.content))
        return _answer(said, len(body))

    def request(self, method: str, path: str, *, seconds: float | None = None, **options: Any) -> requests.Response:
        """Send one request; gives its answer if that is a success.

        seconds: that the endpoint may be silent. Raises a kind of AlgorithmiaError for anything else.
        """
        silent = (seconds if seconds is not None else 0) + PATIENCE_SECONDS
        try:
            answer = self._http.request(
                method, self.address + path, timeout=(CONNECT_SECONDS, silent), allow_redirects=False, **options
            )
        except requests.ReadTimeout:
            raise TimedOut(f"{self.address} did not answer within {silent:.0f} s.") from None
        except requests.RequestException as error:
            raise ConnectionLost(f"The connection to {self.address} failed ({type(error).__name__}).") from None
        if not answer.ok or answer.is_redirect:
            raise self._failure(answer)
        return answer

    def _failure(self, answer: requests.Response) -> AlgorithmiaError:
        try:
            said = answer.json()
        except requests.JSONDecodeError:
            said = {}
        if isinstance(said, dict) and "error" in said:
            return error_in(said, answer)
        message = answer.headers.get("X-Error-Message", "")
        kind = kind_of(answer.status_code, message, None)
        if _is_page(answer) and kind.when == "never" and kind is not BadCredentials:
            kind = NoJson
        said_so = f": {message}" if message else ""
        return kind(f"{self.address} answered with HTTP {answer.status_code}{said_so}.", wait=_wait(answer))


def read_json(answer: requests.Response) -> dict[str, Any]:
    """The JSON object in an answer, which may still be an error with HTTP status 200.

    Raises NoJson, or the kind of AlgorithmiaError that it holds.
    """
    try:
        said = answer.json()
    except requests.JSONDecodeError:
        said = None
    if not isinstance(said, dict):
        what = "a web page, perhaps of a proxy," if _is_page(answer) else "something"
        raise NoJson(f"{urlsplit(answer.url).netloc} answered with {what} that is no JSON object.")
    if "error" in said:
        raise error_in(said, answer)
    return said


def error_in(said: dict[str, Any], answer: requests.Response) -> AlgorithmiaError:
    """The error that an answer holds."""
    error = said["error"] if isinstance(said["error"], dict) else {"message": str(said["error"])}
    message = str(error.get("message", "no reason given"))
    kind = kind_of(answer.status_code, message, error.get("error_type"))
    return kind(f"The endpoint says: {message}", seconds=_duration(said), wait=_wait(answer))


def _answer(said: requests.Response, sent: int) -> Answer:
    content = read_json(said)
    if "result" not in content and "async" not in content:
        raise NoJson(f"{urlsplit(said.url).netloc} answered with neither a result nor an error.")
    metadata = content.get("metadata") or {}
    kind = str(metadata.get("content_type", "void" if "async" in content else "json"))
    result = content.get("result")
    if kind == "binary":
        try:
            result = base64.b64decode(str(result), validate=True)
        except (binascii.Error, ValueError):
            raise NoJson("The endpoint promised a binary result and sent none.") from None
    return Answer(result, kind, _duration(content), sent, len(said.content))


def _body(input: Any) -> tuple[bytes, str]:
    if isinstance(input, bytes | bytearray):
        return bytes(input), "application/octet-stream"
    if isinstance(input, str):
        return input.encode(), "text/plain"
    return json.dumps(input).encode(), "application/json"


def _duration(said: dict[str, Any]) -> float:
    duration = (said.get("metadata") or {}).get("duration", 0)
    return float(duration) if isinstance(duration, int | float) else 0.0


def _is_page(answer: requests.Response) -> bool:
    return "html" in answer.headers.get("Content-Type", "") or answer.content[:64].lstrip().lower().startswith(b"<")


def _wait(answer: requests.Response) -> float | None:
    """Seconds in `Retry-After`; a date there is as good as nothing."""
    said = answer.headers.get("Retry-After", "")
    return float(said) if said.isdecimal() else None
