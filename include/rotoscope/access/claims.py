"""Claims: what was asked for under an idempotency key, so that asking twice makes one thing.

The id of what is made follows from the tenant, the key and its turn. So requests side by side, also at servers that
know nothing of each other, ask for the same id, and whoever keeps the things lets only one of them make it.
"""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rotoscope.store import keys
from rotoscope.store.base import Store

SECONDS = 24 * 3600
"""How long a key stands for the same request."""
DIGITS = 24


class OtherRequest(Exception):
    """The key stands for another request."""


@dataclass(frozen=True)
class Claim:
    """The id for what is to be made, and whether somebody asked for it before."""

    id: str
    repeated: bool


def claim(store: Store, tenant: str, key: str, what: Any) -> Claim:
    """The id under which a tenant's request is to make something. what: the request, as JSON.

    Raises OtherRequest if the key stood for another request within 24 hours.
    """
    named, asked = keys.digest(key), keys.digest(what)
    turn, last = _last(store, tenant, named)
    repeated = last is not None and time.time() - last["at"] < SECONDS
    if last is None or not repeated:
        turn += 1
        store.put_json(keys.claim(tenant, named, turn), {"asked": asked, "at": time.time()})
        last = store.get_json(keys.claim(tenant, named, turn))
    if last["asked"] != asked:
        raise OtherRequest(key)
    made = hashlib.sha256(f"{tenant}\n{named}\n{turn}".encode()).hexdigest()[:DIGITS]
    return Claim(made, repeated)


def _last(store: Store, tenant: str, named: str) -> tuple[int, dict[str, Any] | None]:
    turns = sorted(_turns(store, tenant, named))
    return (turns[-1], store.get_json(keys.claim(tenant, named, turns[-1]))) if turns else (0, None)


def _turns(store: Store, tenant: str, named: str) -> Iterator[int]:
    for found in store.below(keys.claim(tenant, named)):
        name, _, kind = found.rpartition("/")[2].partition(".")
        if kind == "json":  # some servers list what is still being written
            yield int(name)
