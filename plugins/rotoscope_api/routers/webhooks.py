"""Webhooks: have your own server told of what becomes of your rotoscopes."""

from contextlib import suppress
from datetime import UTC, datetime
from threading import Condition
from typing import Annotated

from cachetools import TTLCache, cached
from fastapi import APIRouter, Body, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from rotoscope import webhooks
from rotoscope.fetch import check_url
from rotoscope.store import keys
from rotoscope.store.base import Store
from rotoscope.webhooks import Delivery, EventType, Secret, Webhook
from rotoscope_api.airflow import SEEN, SEEN_SECONDS
from rotoscope_api.caller import Caller, allowed
from rotoscope_api.manners import (
    Cursor,
    Id,
    IdempotencyKey,
    IfMatch,
    Limit,
    Listed,
    check_if_match,
    etag_of,
    fresh_id,
    page_of,
)
from rotoscope_api.plugin import PREFIX
from rotoscope_api.problems import Problem, documented
from rotoscope_api.services import threaded
from rotoscope_api.store import StoreDep

router = APIRouter(prefix="/webhooks", tags=["Webhooks"])
Reader = Annotated[Caller, allowed("webhooks:read")]
Writer = Annotated[Caller, allowed("webhooks:write")]
DeliveryId = Annotated[str, Path(pattern=r"^msg_[0-9a-f]{32}$", examples=["msg_5f1c0f6f0a9e4b1c8d7e6f5a3b2c1d0e"])]
Url = Annotated[
    str,
    Field(
        max_length=2000,
        pattern=r"^https?://\S+$",
        description="Whom to tell: an http(s) URL.",
        examples=["https://acme.example.com/painted"],
    ),
]
Events = Annotated[list[EventType], Field(min_length=1, max_length=3, description="Of what it is told.")]
ALL: list[EventType] = ["rotoscope.started", "rotoscope.progress", "rotoscope.ended"]
EXAMPLE = {"url": "https://acme.example.com/painted", "events": ["rotoscope.started", "rotoscope.ended"]}


class WebhookCreate(BaseModel):
    """Where somebody wants to be told of what."""

    model_config = ConfigDict(extra="forbid")

    url: Url
    events: Events = ALL


class WebhookChange(BaseModel):
    """What shall be otherwise; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    url: Url | None = None
    events: Events | None = None
    enabled: bool | None = Field(default=None, description="False: it is told of nothing until it is true again.")


class WebhookResource(BaseModel):
    """A webhook, without its secret."""

    id: str
    url: str
    events: list[EventType]
    enabled: bool
    created_at: datetime


class NewWebhook(WebhookResource):
    """A webhook, with its secret for the only time."""

    secret: str | None = Field(
        description="For the signatures (Standard Webhooks). Null if the same request was made before: rotate it then."
    )


@router.post("", status_code=201, summary="Create Webhook")
async def create_webhook(
    request: Request,
    response: Response,
    caller: Writer,
    store: StoreDep,
    body: Annotated[WebhookCreate, Body(openapi_examples={"ends": {"summary": "Start and end", "value": EXAMPLE}})],
    idempotency_key: IdempotencyKey = None,
) -> NewWebhook:
    """Have a server told of the tenant's rotoscopes: their start and end always, their progress at most ten times.

    Each POST is signed the Standard Webhooks way, tried again for some 18 hours until it is answered with 2xx, and
    may come twice: its `webhook-id` tells. The address must be a public one.
    """
    await threaded(check_url, body.url)
    webhook_id = await fresh_id(request, caller, idempotency_key)
    secret = webhooks.new_secret()
    made = Webhook(
        id=webhook_id,
        tenant=caller.tenant,
        url=body.url,
        events=tuple(body.events),
        secrets=(Secret(value=secret),),
        acts_for=caller.user,
        created_at=datetime.now(UTC),
    )
    await threaded(store.put_json, keys.webhook(webhook_id), made.model_dump(mode="json"))
    kept = await threaded(webhooks.get, store, webhook_id)
    response.headers["Location"] = f"{PREFIX}/webhooks/{webhook_id}"
    is_new = kept.secrets[0].value == secret
    return NewWebhook(**_resource(kept).model_dump(), secret=secret if is_new else None)


@router.get("", summary="List Webhooks")
async def list_webhooks(
    caller: Reader, store: StoreDep, limit: Limit = 20, cursor: Cursor = None
) -> Listed[WebhookResource]:
    """The caller's webhooks."""
    return page_of(await threaded(_every, store, caller.prefix), limit, cursor)


@router.get("/{webhook_id}", summary="Get Webhook", responses=documented("not-found"))
async def get_webhook(response: Response, caller: Reader, store: StoreDep, webhook_id: Id) -> WebhookResource:
    """A webhook, without its secret."""
    found = _resource(await _webhook(caller, store, webhook_id))
    response.headers["ETag"] = etag_of(found)
    return found


@router.patch("/{webhook_id}", summary="Change Webhook", responses=documented("not-found", "precondition-failed"))
async def change_webhook(
    response: Response,
    caller: Writer,
    store: StoreDep,
    webhook_id: Id,
    body: Annotated[
        WebhookChange, Body(openapi_examples={"off": {"summary": "Switch it off", "value": {"enabled": False}}})
    ],
    if_match: IfMatch = None,
) -> WebhookResource:
    """Change a webhook's address or events, or switch it off and on."""
    webhook = await _webhook(caller, store, webhook_id)
    check_if_match(if_match, _resource(webhook))
    if body.url:
        await threaded(check_url, body.url)
    changed = webhook.model_copy(update=body.model_dump(exclude_none=True))
    await threaded(webhooks.keep, store, changed)
    found = _resource(changed)
    response.headers["ETag"] = etag_of(found)
    return found


@router.delete(
    "/{webhook_id}",
    status_code=204,
    summary="Delete Webhook",
    responses=documented("not-found", "precondition-failed"),
)
async def delete_webhook(caller: Writer, store: StoreDep, webhook_id: Id, if_match: IfMatch = None) -> None:
    """Delete a webhook and its deliveries."""
    check_if_match(if_match, _resource(await _webhook(caller, store, webhook_id)))
    await threaded(webhooks.delete, store, webhook_id)


@router.post("/{webhook_id}/rotation", summary="Rotate Webhook Secret", responses=documented("not-found"))
async def rotate_webhook_secret(caller: Writer, store: StoreDep, webhook_id: Id) -> NewWebhook:
    """Give a webhook a new secret. For a day both sign, so that nothing is lost meanwhile."""
    webhook, secret = (await _webhook(caller, store, webhook_id)).rotated()
    await threaded(webhooks.keep, store, webhook)
    return NewWebhook(**_resource(webhook).model_dump(), secret=secret)


@router.get("/{webhook_id}/deliveries", summary="List Deliveries", responses=documented("not-found"))
async def list_deliveries(
    caller: Reader, store: StoreDep, webhook_id: Id, limit: Limit = 20, cursor: Cursor = None
) -> Listed[Delivery]:
    """What a webhook was told, what was tried last first, with every attempt."""
    await _webhook(caller, store, webhook_id)
    page = page_of(await threaded(_told, store, webhook_id), limit, cursor)
    return Listed(items=await threaded(_read, store, webhook_id, page.items), next_cursor=page.next_cursor)


@router.get("/{webhook_id}/deliveries/{delivery_id}", summary="Get Delivery", responses=documented("not-found"))
async def get_delivery(caller: Reader, store: StoreDep, webhook_id: Id, delivery_id: DeliveryId) -> Delivery:
    """A delivery, with every attempt."""
    await _webhook(caller, store, webhook_id)
    return await _delivery(store, webhook_id, delivery_id)


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/replay",
    status_code=202,
    summary="Replay Delivery",
    responses=documented("not-found"),
)
async def replay_delivery(
    response: Response, caller: Writer, store: StoreDep, webhook_id: Id, delivery_id: DeliveryId
) -> Delivery:
    """Send a delivery again, with the same `webhook-id`."""
    webhook = await _webhook(caller, store, webhook_id)
    delivery = await _delivery(store, webhook_id, delivery_id)
    response.headers["Location"] = f"{PREFIX}/webhooks/{webhook_id}/deliveries/{delivery_id}"
    return await threaded(webhooks.replay, store, webhook, delivery)


async def _webhook(caller: Caller, store: Store, webhook_id: str) -> Webhook:
    caller.check(webhook_id)
    try:
        return await threaded(webhooks.get, store, webhook_id)
    except KeyError:
        raise Problem("not-found", f"There is no webhook {webhook_id}.") from None


async def _delivery(store: Store, webhook_id: str, delivery_id: str) -> Delivery:
    try:
        return await threaded(webhooks.get_delivery, store, webhook_id, delivery_id)
    except KeyError:
        raise Problem("not-found", f"The webhook has no delivery {delivery_id}.") from None


@cached(TTLCache(SEEN, SEEN_SECONDS), lambda store, webhook_id: webhook_id, condition=Condition())
def _told(store: Store, webhook_id: str) -> list[str]:
    return webhooks.deliveries(store, webhook_id)


def _read(store: Store, webhook_id: str, ids: list[str]) -> list[Delivery]:
    found = []
    for one in ids:
        with suppress(KeyError):  # housekeeping may come between
            found.append(webhooks.get_delivery(store, webhook_id, one))
    return found


def _every(store: Store, prefix: str) -> list[WebhookResource]:
    found = [_resource(webhooks.get(store, one)) for one in webhooks.ids(store, prefix)]
    return sorted(found, key=lambda one: one.created_at, reverse=True)


def _resource(webhook: Webhook) -> WebhookResource:
    return WebhookResource(**webhook.model_dump(include={"id", "url", "events", "enabled", "created_at"}))
