"""The caller of a request: a user of Airflow, by their token or session, or a partner, by a key. Nobody else."""

import hashlib
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, HTTPException, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from rotoscope.access import partner_keys, plans
from rotoscope.access.plans import Plan
from rotoscope.store import keys
from rotoscope_api.airflow import Airflow, Run
from rotoscope_api.problems import Problem, missing
from rotoscope_api.services import Services, threaded

RESOURCES = ("videos", "frames", "filters", "sheets", "rotoscopes", "batches", "webhooks", "usage", "status")
SCOPES = [f"{resource}:{right}" for resource in RESOURCES for right in ("read", "write")]
"""What a partner's key may be allowed."""
USER_SCOPES = ["schedules:read", "schedules:write"]
"""What only Airflow's users are allowed: a schedule names places where the server finds videos."""
ADMIN_SCOPES = ["keys:read", "keys:write"]
SEPARATOR = "."
"""Between a tenant and the rest of the names of what is theirs."""
RUN = "r"
USERS = "user-"
"""Begins the tenants of Airflow's users."""
TOKEN_SECONDS = 300
DAG = "rotoscope"

bearer = HTTPBearer(
    auto_error=False,
    scheme_name="bearer",
    description="A token of Airflow (`POST /auth/token`), or a partner key (`rsk_...`).",
)


@dataclass(frozen=True)
class Caller:
    """Who asks. tenant: begins the ids of all that is theirs; airflow: with their rights."""

    tenant: str
    name: str
    plan: Plan
    scopes: frozenset[str]
    is_admin: bool
    is_partner: bool
    airflow: Airflow
    user: dict[str, Any]

    @property
    def prefix(self) -> str:
        """How the ids of what they see begin: administrators see all."""
        return "" if self.is_admin else self.own_prefix

    @property
    def runs(self) -> str:
        """How the ids of runs that they see begin."""
        return "" if self.is_admin else self.own_runs

    @property
    def own_runs(self) -> str:
        """How the ids of runs that they start begin. Airflow looks for a prefix only up to its last letter or digit."""
        return self.own_prefix + RUN

    @property
    def own_prefix(self) -> str:
        """How the ids of what they make begin."""
        return self.tenant + SEPARATOR

    def sees(self, resource_id: str) -> bool:
        """Whether a thing of this id is theirs to see."""
        return resource_id.startswith(self.prefix)

    def check(self, resource_id: str) -> None:
        """Raises Problem, as if it did not exist, for what is somebody else's."""
        if not self.sees(resource_id):
            raise missing(resource_id)

    async def run(self, dag: str, run_id: str) -> Run:
        """A run that is theirs to see. Raises Problem for any other."""
        self.check(run_id)
        return await self.airflow.get(dag, run_id)


async def identified(
    request: Request,
    needed: SecurityScopes,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> Caller:
    """The caller, who has the scopes that the route needs. Raises Problem for anybody else."""
    services: Services = request.app.state.services
    token = credentials.credentials if credentials else ""
    if token.startswith("rsk_"):
        caller = await _partner(services, token)
    else:
        caller = await _user(request, services, credentials)
    services.rates.count(request, caller.tenant, caller.plan)
    missing = [scope for scope in needed.scopes if scope not in caller.scopes]
    if missing:
        raise Problem("forbidden", f"This needs the scope {', '.join(missing)}, which {caller.name} does not have.")
    return caller


def allowed(*scopes: str) -> Any:
    """The caller as a parameter of a route that needs these scopes."""
    return Security(identified, scopes=list(scopes))


async def _partner(services: Services, token: str) -> Caller:
    key = await threaded(partner_keys.opened_by, services.store, token)
    if key is None:
        raise Problem("not-authenticated", "This key opens nothing; it may have been revoked or rotated.", _CHALLENGE)
    user = get_auth_manager().deserialize_user(key.acts_for)
    airflow = Airflow(services.inside, partial(token_of, user), str(key.acts_for))
    return Caller(key.tenant, key.name, plans.get(key.plan), frozenset(key.scopes), False, True, airflow, key.acts_for)


async def _user(request: Request, services: Services, credentials: HTTPAuthorizationCredentials | None) -> Caller:
    try:
        user = await get_user(request, None, credentials)
    except HTTPException as error:
        detail = "Say who you are: Authorization: Bearer with a token of Airflow, or with a partner key."
        raise Problem("not-authenticated", detail if not credentials else f"{error.detail}.", _CHALLENGE) from None
    manager = get_auth_manager()
    runs: dict[str, Any] = {"access_entity": DagAccessEntity.RUN, "details": DagDetails(id=DAG), "user": user}
    rights = {
        "read": manager.is_authorized_dag(method="GET", **runs),
        "write": manager.is_authorized_dag(method="POST", **runs),
    }
    is_admin = manager.is_authorized_connection(method="PUT", user=user)
    scopes = {scope for scope in [*SCOPES, *USER_SCOPES] if rights[scope.rpartition(":")[2]]}
    scopes |= set(ADMIN_SCOPES if is_admin else ())
    name, plan = user.get_name(), plans.get(plans.HOUSE)
    tenant, acts_for = _tenant_of(user.get_id()), manager.serialize_user(user)
    airflow = Airflow(services.inside, partial(token_of, user), str(acts_for))
    return Caller(tenant, name, plan, frozenset(scopes), is_admin, False, airflow, acts_for)


def token_of(user: Any) -> str:
    """A token of Airflow's for a user, for minutes."""
    return get_auth_manager().generate_jwt(user, expiration_time_in_seconds=TOKEN_SECONDS)


def _tenant_of(user_id: str) -> str:
    """A tenant for a user of Airflow; two users never share one, whatever their names, and no partner's is like it."""
    return f"{USERS}{keys.slug(user_id)[:24]}-{hashlib.sha256(user_id.encode()).hexdigest()[:6]}"


_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="rotoscope"'}
