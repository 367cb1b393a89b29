"""Fetch: a source from a URL, by our own client, which connects to public addresses only and never to a rebound one.

Every notation of an address comes down to the one that is connected to, so that one is checked: names are resolved
once for a connection, each address is looked at, and the socket is opened to the address itself.
"""

import hashlib
import ipaddress
import socket
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.parse import unquote, urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from rotoscope import __version__
from rotoscope.errors import Refused, RotoscopeError
from rotoscope.limits import limits

BLOCK = 2**16
REDIRECTS = 5
TRIES = 6
WAIT_SECONDS = 0.5
CONNECT_SECONDS, SILENT_SECONDS = 10, 60
EMBEDDING = [ipaddress.ip_network(prefix) for prefix in ("64:ff9b::/96", "::/96")]
"""Networks whose last 32 bits are an IPv4 address: NAT64, and the first draft of IPv6."""
UNICAST = ipaddress.ip_network("2000::/3")
"""All of IPv6 that is given out for the internet."""
SPECIAL = [ipaddress.ip_network(prefix) for prefix in ("192.0.0.0/24", "3fff::/20", "2001::/23")]
"""Not public either, though not every Python knows."""
ISATAP = (0x00005EFE, 0x02005EFE)
"""Bits 64 to 95 of an address that ends in an IPv4 address (RFC 5214)."""

Fetch = Callable[[str, Path], str]
"""Brings a URL into a file and gives the SHA-256 of its bytes."""
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class FetchFailed(RotoscopeError):
    """A source could not be fetched now; later it may."""


class _CutOff(FetchFailed):
    """The connection broke before the end; the rest can be asked for."""


def fetch(url: str, target: Path, most: int | None = None) -> str:
    """Fetch an http(s) URL into a file of `most` bytes at most; gives the SHA-256 of its bytes, in hexadecimal.

    A transfer that is cut off goes on where it ended. Raises Refused for a URL, or an answer, that cannot be used,
    FetchFailed if it was cut off too often.
    """
    transfer = _Transfer(url, most or limits().fetch_bytes)
    retrying = Retrying(
        retry=retry_if_exception_type(_CutOff),
        stop=stop_after_attempt(TRIES),
        wait=wait_exponential(multiplier=WAIT_SECONDS, max=30),
        reraise=True,
    )
    with target.open("wb") as file, checked_session() as session:
        retrying(transfer.go_on, session, file)
    return transfer.digest.hexdigest()


def name_of(url: str) -> str:
    """What a user calls the file at a URL."""
    scheme, _, place = url.partition("?")[0].partition("#")[0].partition("://")
    path = unquote(place) if scheme == "store" else unquote(place).partition("/")[2]
    return PurePosixPath(path).name or ("This picture" if scheme == "picture" else "video")


def is_allowed(address: Address) -> bool:
    """Whether sources may come from this address: a public one, however it is written, or of a network that may."""
    if any(address in network for network in limits().fetch_networks):
        return True
    inner = _inner(address)
    if inner is not None:
        return is_allowed(inner)
    public = address.is_global and not address.is_multicast
    return public and (address.version == 4 or address in UNICAST) and not any(address in one for one in SPECIAL)


class _Transfer:
    """One source on its way: how much of it is here, its hash so far, and what it was when it began."""

    def __init__(self, url: str, most: int) -> None:
        self._url = url
        self._most = most
        self._name = name_of(url)
        self._received = 0
        self._validator: str | None = None
        self._deadline = time.monotonic() + limits().fetch_seconds
        self.digest = hashlib.sha256()

    def go_on(self, session: requests.Session, file: IO[bytes]) -> None:
        """Ask for the rest and write it. Raises _CutOff if it did not all come."""
        headers = {"Accept-Encoding": "identity"}
        if self._received and self._validator:  # without one, the rest might be another file's
            headers |= {"Range": f"bytes={self._received}-", "If-Range": self._validator}
        try:
            with _get(session, self._url, headers) as answer:
                self._begin(answer, file)
                expected = self._expected(answer)
                while block := answer.raw.read1(BLOCK, decode_content=False):  # what has come, so that time is kept
                    self._take(block, file)
        except (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError) as error:
            raise _CutOff(f"{self._name} could not be fetched: {_why(error)}; ask again later.") from None
        if expected is not None and self._received < expected:
            raise _CutOff(f"{self._name} was cut off after {self._received} of {expected} bytes; ask again later.")

    def _begin(self, answer: requests.Response, file: IO[bytes]) -> None:
        """Look at an answer's status; an answer with everything begins anew."""
        if answer.status_code in (408, 425, 429) or answer.status_code >= 500:
            raise _CutOff(f"{self._name} could not be fetched: the server answers {answer.status_code}.")
        if answer.status_code not in (200, 206):
            raise Refused(f"{self._name} cannot be fetched: the server answers {answer.status_code}; check the URL.")
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise Refused(f"{self._name} comes compressed for its way, though it should not; give another URL.")
        begins = answer.headers.get("Content-Range", "").removeprefix("bytes ").partition("-")[0]
        if self._received and (answer.status_code != 206 or begins != str(self._received)):
            self._received, self.digest = 0, hashlib.sha256()
            file.seek(0)
            file.truncate()
        self._validator = answer.headers.get("ETag") or answer.headers.get("Last-Modified")
        if self._validator and self._validator.startswith("W/"):
            self._validator = None

    def _expected(self, answer: requests.Response) -> int | None:
        """Bytes in all, if the server says so. Raises Refused if they are too many."""
        length = answer.headers.get("Content-Length", "")
        expected = self._received + int(length) if length.isascii() and length.isdigit() else None
        self._refuse_if_more(expected or 0)
        return expected

    def _take(self, block: bytes, file: IO[bytes]) -> None:
        self._received += len(block)
        self._refuse_if_more(self._received)
        if time.monotonic() > self._deadline:
            raise Refused(f"{self._name} takes longer than {limits().fetch_seconds:g} s to fetch; bring it nearer.")
        self.digest.update(block)
        file.write(block)

    def _refuse_if_more(self, size: int) -> None:
        if size > self._most:
            raise Refused(f"{self._name} is larger than {self._most} bytes, the most that is fetched.")


def _get(session: requests.Session, url: str, headers: dict[str, str]) -> requests.Response:
    """Ask for a URL, and for what it redirects to; each is checked as the first one."""
    for _ in range(REDIRECTS + 1):
        if not _is_web(url):
            raise Refused(f"{name_of(url)} is not at an http(s) URL; give one, or the path of a file.")
        try:
            answer = session.get(
                url, headers=headers, stream=True, allow_redirects=False, timeout=(CONNECT_SECONDS, SILENT_SECONDS)
            )
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader, ValueError):
            raise Refused("That URL cannot be read; check it.") from None
        if not answer.is_redirect:
            return answer
        answer.close()
        try:
            url = urljoin(url, answer.headers["Location"])
        except ValueError:
            raise Refused(f"{name_of(url)} redirects to what is no URL; give the URL of the file itself.") from None
    raise Refused(f"{name_of(url)} redirects more than {REDIRECTS} times; give the URL of the file itself.")


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _why(error: Exception) -> str:
    text = str(error)
    return "its host is not known" if "resolve" in text or "NameResolution" in text else "the connection failed"


def _inner(address: Address) -> Address | None:
    """The IPv4 address that an IPv6 address stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if any(address in network for network in EMBEDDING) or int(address) >> 32 & 0xFFFFFFFF in ISATAP:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


def check_url(url: str) -> None:
    """Raises Refused for an address that may not be connected to, as far as that can be told now."""
    if not _is_web(url):
        raise Refused("That is no http(s) URL; give one that can be reached from the internet.")
    parts = urlsplit(url)
    try:
        _addresses(str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80))
    except OSError as error:
        raise Refused(f"{error}; check the URL.") from None


def _addresses(host: str, port: int) -> list[Any]:
    """What a name resolves to, as getaddrinfo says. Raises Refused if one may not be, OSError if there is none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise OSError(f"Failed to resolve {host}") from None
    for _, _, _, _, place in found:
        if not is_allowed(ipaddress.ip_address(str(place[0]).partition("%")[0])):
            raise Refused(
                f"{host} is not a public address; only the internet is asked, and the networks that "
                "ROTOSCOPE_FETCH_NETWORKS names."
            )
    return found


def _connect(host: str, port: int, timeout: Any) -> socket.socket:
    """Connect to the first of a name's addresses that may be, or raise Refused if one may not."""
    found = _addresses(host, port)
    failure = OSError(f"{host} has no address")
    for family, kind, protocol, _, place in found:
        opened = socket.socket(family, kind, protocol)
        try:
            opened.settimeout(timeout)
            opened.connect(place)
            return opened
        except OSError as error:
            opened.close()
            failure = error
    raise failure


class _Checked(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        try:
            return _connect(self._dns_host, self.port, self.timeout)
        except OSError as error:
            raise urllib3.exceptions.NewConnectionError(self, str(error)) from None


class _CheckedTLS(_Checked, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Checked


class _PoolTLS(HTTPSConnectionPool):
    ConnectionCls = _CheckedTLS


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _PoolTLS}


def checked_session() -> requests.Session:
    """A session that connects to allowed addresses only. Raises Refused, from its calls, for a name that has others."""
    session = requests.Session()
    session.trust_env = False  # a proxy would resolve names for itself, and .netrc holds secrets
    session.headers["User-Agent"] = f"rotoscope/{__version__}"
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter())
    return session
