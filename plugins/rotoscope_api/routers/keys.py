"""Keys: what partners' machines show who they are with. Administrators make them; nobody sees one again."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

from rotoscope.access import partner_keys, plans
from rotoscope.access.partner_keys import PartnerKey
from rotoscope.store.base import Store
from rotoscope_api.caller import SCOPES, USERS, Caller, allowed
from rotoscope_api.manners import (
    Cursor,
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

router = APIRouter(prefix="/keys", tags=["Keys"])
Reader = Annotated[Caller, allowed("keys:read")]
Writer = Annotated[Caller, allowed("keys:write")]
KeyId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", examples=["5f1c0f6f0a9e4b1c"])]
ID_DIGITS = 16


class KeyCreate(BaseModel):
    """For whom a key shall be, and what it may do."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100, description="Of the key, for people.", examples=["Acme production"])
    tenant: str = Field(
        max_length=40,
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$",
        description="Whose it is: small letters and digits, with hyphens between words. Keys of one tenant see the "
        "same things, so they can be rotated.",
        examples=["acme"],
    )
    plan: str = Field(max_length=40, description="A plan's id.", examples=["starter"])
    scopes: list[Annotated[str, Field(json_schema_extra={"enum": SCOPES})]] = Field(
        min_length=1, max_length=len(SCOPES), description="What it may do."
    )

    @field_validator("tenant")
    @classmethod
    def _no_user(cls, tenant: str) -> str:
        if tenant.startswith(USERS):
            raise ValueError(f"{USERS} begins the tenants of Airflow's users; choose another name")
        return tenant


class KeyResource(BaseModel):
    """A key, without its secret."""

    id: str
    name: str
    tenant: str
    plan: str
    scopes: list[str]
    created_at: datetime
    created_by: str
    rotated_at: datetime | None
    revoked_at: datetime | None = Field(description="Since when it opens nothing.")


class NewKey(KeyResource):
    """A key, with its token for the only time."""

    token: str | None = Field(
        description="For `Authorization: Bearer`. Null if the same request was made before: rotate the key for another."
    )


EXAMPLE = {
    "name": "Acme production",
    "tenant": "acme",
    "plan": "starter",
    "scopes": ["videos:write", "rotoscopes:write"],
}


@router.post("", status_code=201, summary="Create Key")
async def create_key(
    request: Request,
    response: Response,
    caller: Writer,
    store: StoreDep,
    body: Annotated[KeyCreate, Body(openapi_examples={"partner": {"summary": "For a partner", "value": EXAMPLE}})],
    idempotency_key: IdempotencyKey = None,
) -> NewKey:
    """Make a key for a partner. Its runs are started with the rights of whoever makes it. The token is shown once."""
    plans.get(body.plan)
    unknown = sorted(set(body.scopes) - set(SCOPES))
    if unknown:
        raise Problem("refused", f"There is no scope {', '.join(unknown)}; choose of {', '.join(SCOPES)}.")
    key_id = (await fresh_id(request, caller, idempotency_key)).removeprefix(caller.own_runs)[:ID_DIGITS]
    about = {**body.model_dump(), "acts_for": caller.user, "created_by": caller.name}
    key, token = await threaded(partner_keys.make, store, key_id, **about)
    response.headers["Location"] = f"{PREFIX}/keys/{key.id}"
    return NewKey(**_facts(key), token=token)


@router.get("", summary="List Keys")
async def list_keys(caller: Reader, store: StoreDep, limit: Limit = 20, cursor: Cursor = None) -> Listed[KeyResource]:
    """All keys, also those that were revoked."""
    found = await threaded(_every, store)
    return page_of(found, limit, cursor)


@router.get("/{key_id}", summary="Get Key", responses=documented("not-found"))
async def get_key(response: Response, caller: Reader, store: StoreDep, key_id: KeyId) -> KeyResource:
    """A key, without its secret."""
    found = KeyResource(**_facts(await _key(store, key_id)))
    response.headers["ETag"] = etag_of(found)
    return found


@router.post(
    "/{key_id}/rotation", summary="Rotate Key", responses=documented("not-found", "conflict", "precondition-failed")
)
async def rotate_key(caller: Writer, store: StoreDep, key_id: KeyId, if_match: IfMatch = None) -> NewKey:
    """Give a key another secret. The old one opens nothing from now on."""
    key = await _key(store, key_id)
    check_if_match(if_match, KeyResource(**_facts(key)))
    if key.revoked_at:
        raise Problem("conflict", "The key is revoked; make a new one.")
    key, token = await threaded(partner_keys.rotate, store, key)
    return NewKey(**_facts(key), token=token)


@router.delete(
    "/{key_id}", status_code=204, summary="Revoke Key", responses=documented("not-found", "precondition-failed")
)
async def revoke_key(caller: Writer, store: StoreDep, key_id: KeyId, if_match: IfMatch = None) -> None:
    """Let a key open nothing any more, from now on. What was made with it stays."""
    key = await _key(store, key_id)
    check_if_match(if_match, KeyResource(**_facts(key)))
    await threaded(partner_keys.revoke, store, key)


async def _key(store: Store, key_id: str) -> PartnerKey:
    try:
        return await threaded(partner_keys.get, store, key_id)
    except KeyError:
        raise Problem("not-found", f"There is no key {key_id}.") from None


def _every(store: Store) -> list[KeyResource]:
    found = (KeyResource(**_facts(key)) for key in partner_keys.every(store))
    return sorted(found, key=lambda key: key.created_at, reverse=True)


def _facts(key: PartnerKey) -> dict[str, object]:
    return key.model_dump(exclude={"secret_sha256", "acts_for"})
