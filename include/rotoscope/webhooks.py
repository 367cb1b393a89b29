"""Webhooks: whoever wants to be told is told, signed and tried again, as https://www.standardwebhooks.com says.

What is to be told lies in the store before it is sent, under an id that follows from what happened: so servers side by
side, and one that is started again, tell it once more at worst, and never not at all.
"""

import base64
import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Literal

import requests
import urllib3
from pydantic import BaseModel, Field
from standardwebhooks import Webhook as Signer

from rotoscope.errors import Refused
from rotoscope.fetch import checked_session
from rotoscope.store import keys
from rotoscope.store.base import Store

EventType = Literal["rotoscope.started", "rotoscope.progress", "rotoscope.ended"]
WAITS = (5, 60, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600)
"""Seconds between tries of a delivery; after the last one it is given up."""
SEND_SECONDS, AT_A_TIME = 15, 20
OVERLAP = timedelta(hours=24)
"""How long an old secret still signs after a rotation."""
SAID_BYTES = 500


class Secret(BaseModel):
    """A key that signs. until: after that it does not any more."""

    value: str
    until: datetime | None = None


class Webhook(BaseModel):
    """Where a tenant wants to be told of what. acts_for: with whose rights, as the auth manager writes a user."""

    id: str
    tenant: str
    url: str
    events: tuple[EventType, ...]
    enabled: bool = True
    secrets: tuple[Secret, ...]
    acts_for: dict[str, Any]
    created_at: datetime

    @property
    def signing(self) -> list[str]:
        """The secrets that sign now, the newest first."""
        now = datetime.now(UTC)
        return [secret.value for secret in self.secrets if secret.until is None or secret.until > now]

    def rotated(self) -> tuple["Webhook", str]:
        """The webhook with a new secret beside the old one, which signs for a day more; and the new one."""
        until = datetime.now(UTC) + OVERLAP
        value, last = new_secret(), self.secrets[0].model_copy(update={"until": until})
        return self.model_copy(update={"secrets": (Secret(value=value), last)}), value


class Attempt(BaseModel):
    """A try to deliver. status: of HTTP, None where nothing answered."""

    at: datetime
    status: int | None
    said: str = Field(description="The beginning of the answer, or why there was none.")


class Delivery(BaseModel):
    """Something that a webhook is told."""

    id: str
    type: EventType
    created_at: datetime
    state: Literal["pending", "delivered", "failed"] = "pending"
    payload: dict[str, Any]
    attempts: list[Attempt] = []
    next_at: datetime | None = None


def new_secret() -> str:
    """A secret in the form of Standard Webhooks: 24 random bytes in base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()


def keep(store: Store, webhook: Webhook) -> None:
    """Write a webhook down."""
    store.replace_json(keys.webhook(webhook.id), webhook.model_dump(mode="json"))


def get(store: Store, webhook_id: str) -> Webhook:
    """The webhook of this id. Raises KeyError if there is none."""
    return Webhook.model_validate(store.get_json(keys.webhook(webhook_id)))


def ids(store: Store, prefix: str = "") -> list[str]:
    """The ids of all webhooks that begin so."""
    found = (keys.stem(key) for key in store.below(keys.webhook()))
    return [webhook_id for webhook_id in found if webhook_id.startswith(prefix)]


def deliveries(store: Store, webhook_id: str) -> list[str]:
    """The ids of all that a webhook was told, what was tried last first."""
    found = sorted(store.entries(keys.deliveries(webhook_id)), key=lambda one: (one.modified, one.key), reverse=True)
    return [keys.stem(one.key) for one in found]


def get_delivery(store: Store, webhook_id: str, delivery_id: str) -> Delivery:
    """The delivery of this id. Raises KeyError if there is none."""
    return Delivery.model_validate(store.get_json(keys.delivery(webhook_id, delivery_id)))


def tell(store: Store, webhook: Webhook, kind: EventType, happened: str, data: dict[str, Any]) -> None:
    """Have a webhook told of something, unless it was, or does not want to be. happened: names it and nothing else."""
    if not webhook.enabled or kind not in webhook.events:
        return
    delivery_id = "msg_" + keys.digest({"webhook": webhook.id, "happened": happened})[:32]
    if store.exists(keys.delivery(webhook.id, delivery_id)):
        return
    now = datetime.now(UTC)
    payload = {"type": kind, "timestamp": now.isoformat(), "data": data}
    made = Delivery(id=delivery_id, type=kind, created_at=now, payload=payload, next_at=now)
    store.put_json(keys.delivery(webhook.id, delivery_id, due=True), {})
    store.put_json(keys.delivery(webhook.id, delivery_id), made.model_dump(mode="json"))


def replay(store: Store, webhook: Webhook, delivery: Delivery) -> Delivery:
    """Have a delivery sent again."""
    again = delivery.model_copy(update={"state": "pending", "next_at": datetime.now(UTC)})
    store.replace_json(keys.delivery(webhook.id, delivery.id), again.model_dump(mode="json"))
    store.put_json(keys.delivery(webhook.id, delivery.id, due=True), {})
    return again


def delete(store: Store, webhook_id: str) -> None:
    """Delete a webhook and its deliveries."""
    store.delete(keys.webhook(webhook_id))
    for due in (True, False):
        store.delete(keys.deliveries(webhook_id, due=due))


def send_due(store: Store, webhook: Webhook) -> None:
    """Send what is due, some at a time, unless the webhook is switched off."""
    now = datetime.now(UTC)
    for delivery in islice(_due(store, webhook), AT_A_TIME if webhook.enabled else 0):
        if delivery.next_at is None or delivery.next_at <= now:
            _send(store, webhook, delivery)


def _due(store: Store, webhook: Webhook) -> Iterator[Delivery]:
    for key in [*store.below(keys.deliveries(webhook.id, due=True))]:
        try:
            yield get_delivery(store, webhook.id, keys.stem(key))
        except KeyError:
            continue  # its mark was just made


def _send(store: Store, webhook: Webhook, delivery: Delivery) -> None:
    """Send one, and write down what came of it."""
    attempt = _attempt(webhook, delivery)
    tries = len(delivery.attempts)
    done = attempt.status is not None and 200 <= attempt.status < 300
    again = None if done or tries >= len(WAITS) else attempt.at + timedelta(seconds=WAITS[tries])
    state = "delivered" if done else "pending" if again else "failed"
    told = delivery.model_copy(
        update={"state": state, "attempts": [*delivery.attempts, attempt], "next_at": again},
    )
    store.replace_json(keys.delivery(webhook.id, delivery.id), told.model_dump(mode="json"))
    if state != "pending":
        store.delete(keys.delivery(webhook.id, delivery.id, due=True))


def _attempt(webhook: Webhook, delivery: Delivery) -> Attempt:
    at = datetime.now(UTC)
    body = json.dumps(delivery.payload, separators=(",", ":"))
    signed = " ".join(Signer(secret).sign(delivery.id, at, body) for secret in webhook.signing)
    headers = {
        "Content-Type": "application/json",
        "webhook-id": delivery.id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signed,
    }
    try:
        with checked_session() as session:
            said = session.post(
                webhook.url, body, headers=headers, timeout=SEND_SECONDS, allow_redirects=False, stream=True
            )
            text = said.raw.read1(SAID_BYTES).decode(errors="replace")  # what has come: nobody waits for more
            return Attempt(at=at, status=said.status_code, said=text)
    except (requests.RequestException, urllib3.exceptions.HTTPError, Refused, ValueError, OSError) as error:
        return Attempt(at=at, status=None, said=str(error)[:SAID_BYTES])
