"""Who calls: the key in the `Authorization` header, in any of the forms that clients send."""

import hmac

from fastapi import Request

from algorithmia_server.errors import Unauthorized
from algorithmia_server.settings import settings

SCHEMES = ("simple", "bearer")


def caller(request: Request) -> str:
    """The user whose key a request shows: `Simple KEY`, `Bearer KEY` or the bare `KEY`. Raises Unauthorized."""
    shown = request.headers.get("Authorization", "").strip()
    scheme, _, key = shown.partition(" ")
    if scheme.lower() in SCHEMES:
        shown = key.strip()
    found = None
    for user, known in settings().keys.items():
        secret = known.get_secret_value()
        if secret and hmac.compare_digest(shown.encode(), secret.encode()):
            found = user
    if found is None:
        raise Unauthorized
    return found
