"""Partner keys: secrets for machines, of which only a hash is kept.

A token is `rsk_ID_SECRET`. The secret has 256 random bits, so one round of SHA-256 is enough: nothing can be guessed.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from rotoscope.store import keys
from rotoscope.store.base import Store

TOKEN = re.compile(r"rsk_([0-9a-f]{16})_([0-9a-f]{64})")


class PartnerKey(BaseModel):
    """What is known of a key.

    tenant: whose it is; plan: what that may take; acts_for: the Airflow user with whose rights runs are started, as the
    auth manager writes one; secret_sha256: of the secret, in hexadecimal.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    tenant: str
    plan: str
    scopes: tuple[str, ...]
    acts_for: dict[str, Any]
    secret_sha256: str
    created_at: datetime
    created_by: str
    rotated_at: datetime | None = None
    revoked_at: datetime | None = None


def make(store: Store, key_id: str, **about: Any) -> tuple[PartnerKey, str | None]:
    """Make a key of this id, 16 hexadecimal digits; gives it with its token, which nobody can see again.

    One that is there is given as it is, without its token.
    """
    secret = secrets.token_hex(32)
    key = PartnerKey(id=key_id, secret_sha256=_hash(secret), created_at=datetime.now(UTC), **about)
    store.put_json(keys.partner_key(key_id), key.model_dump(mode="json"))
    kept = get(store, key_id)
    return kept, _token(key, secret) if kept.secret_sha256 == key.secret_sha256 else None


def get(store: Store, key_id: str) -> PartnerKey:
    """The key of this id. Raises KeyError if there is none."""
    if not re.fullmatch(r"[0-9a-f]{16}", key_id):
        raise KeyError(key_id)
    key = PartnerKey.model_validate(store.get_json(keys.partner_key(key_id)))
    if store.exists(keys.revoked(key_id)):
        return key.model_copy(update={"revoked_at": store.get_json(keys.revoked(key_id))["at"]})
    return key


def every(store: Store) -> Iterator[PartnerKey]:
    """All keys, also those that were revoked."""
    return (get(store, keys.stem(found)) for found in store.below(keys.partner_key()))


def rotate(store: Store, key: PartnerKey) -> tuple[PartnerKey, str]:
    """Give the key another secret; the old one opens nothing from then on. Gives it with its token."""
    secret = secrets.token_hex(32)
    key = key.model_copy(update={"secret_sha256": _hash(secret), "rotated_at": datetime.now(UTC)})
    store.replace_json(keys.partner_key(key.id), key.model_dump(mode="json"))
    return key, _token(key, secret)


def revoke(store: Store, key: PartnerKey) -> PartnerKey:
    """Let the key open nothing any more. It stays in the list."""
    store.put_json(keys.revoked(key.id), {"at": datetime.now(UTC).isoformat()})
    return get(store, key.id)


def opened_by(store: Store, token: str) -> PartnerKey | None:
    """The key that a token opens, None if it opens none."""
    parts = TOKEN.fullmatch(token)
    if parts is None:
        return None
    try:
        key = get(store, parts[1])
    except KeyError:
        return None
    fits = hmac.compare_digest(key.secret_sha256, _hash(parts[2]))
    return key if fits and key.revoked_at is None else None


def _token(key: PartnerKey, secret: str) -> str:
    return f"rsk_{key.id}_{secret}"


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
