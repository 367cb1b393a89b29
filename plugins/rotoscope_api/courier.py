"""The courier: looks at what became of rotoscopes, and has webhooks told. It runs in the API server."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from functools import partial

from airflow.api_fastapi.app import get_auth_manager
from airflow.sdk.exceptions import AirflowNotFoundException

from object_store.connection import DEFAULT_CONNECTION
from rotoscope import webhooks
from rotoscope.access import plans
from rotoscope.store.base import Store
from rotoscope.webhooks import Webhook
from rotoscope_api import rotoscopes
from rotoscope_api.airflow import Airflow, Run
from rotoscope_api.caller import Caller, token_of
from rotoscope_api.paintings import DAG
from rotoscope_api.services import Services, threaded

log = logging.getLogger(__name__)
SECONDS, IDLE_SECONDS = 2.0, 10.0
PROGRESS_STEPS = 10
"""Of a rotoscope's way: at most so many are told of its progress."""
LOOK_BACK, SLACK = timedelta(days=2), timedelta(seconds=10)
"""How long nobody may have looked, so that nothing is missed; how far looks overlap, since clocks differ."""


class Courier:
    """Serves all webhooks of a server's store."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._looked: dict[str, datetime] = {}

    async def work(self) -> None:
        """Do it for ever. What goes wrong is written into the log, and tried again."""
        while True:
            pause = IDLE_SECONDS
            try:
                found = await threaded(webhooks.ids, self._services.store)
                pause = SECONDS if found else IDLE_SECONDS
                await asyncio.gather(*map(self._serve, found))
            except AirflowNotFoundException:
                log.warning("The connection %s is not there; webhooks wait for it", DEFAULT_CONNECTION)
            except Exception:
                log.exception("Webhooks could not be looked for; it is tried again")
            await asyncio.sleep(pause)

    async def _serve(self, webhook_id: str) -> None:
        """Serve one; what goes wrong with it is nobody else's trouble."""
        try:
            webhook = await threaded(webhooks.get, self._services.store, webhook_id)
            await self._look(webhook)
            await threaded(webhooks.send_due, self._services.store, webhook)
        except KeyError:
            return  # it was just deleted
        except Exception:
            log.exception("The webhook %s could not be served; it is tried again", webhook_id)

    async def _look(self, webhook: Webhook) -> None:
        """Look at what has changed since the last look, and have it told."""
        caller, now = _caller_of(self._services, webhook), datetime.now(UTC)
        since = max(webhook.created_at, self._looked.get(webhook.id, now - LOOK_BACK) - SLACK)
        where = {"run_after_gte": webhook.created_at.isoformat(), "updated_at_gte": since.isoformat()}
        async for run in caller.airflow.every(DAG, caller.own_runs, **where):
            await _tell(caller, self._services.store, webhook, run)
        self._looked[webhook.id] = now


async def _tell(caller: Caller, store: Store, webhook: Webhook, run: Run) -> None:
    """Have it told of what has happened to a run, each thing under a name of its own."""
    if run.started_at is None:
        return
    found = await threaded(rotoscopes.of_run, caller, store, run)
    attempt = f"{run.id} {run.started_at.isoformat()}"
    data = found.model_dump(mode="json")
    await threaded(webhooks.tell, store, webhook, "rotoscope.started", f"{attempt} started", data)
    if run.is_over:
        ended = (await rotoscopes.detailed(caller, store, run)).model_dump(mode="json")
        await threaded(webhooks.tell, store, webhook, "rotoscope.ended", f"{attempt} ended", ended)
    elif "rotoscope.progress" in webhook.events:
        found.progress = await rotoscopes.progress_of(caller, store, run)
        step = int(found.progress.share * PROGRESS_STEPS)
        if step:
            data = found.model_dump(mode="json")
            await threaded(webhooks.tell, store, webhook, "rotoscope.progress", f"{attempt} {step}", data)


def _caller_of(services: Services, webhook: Webhook) -> Caller:
    """The webhook's tenant, with the rights of whoever made it."""
    user = get_auth_manager().deserialize_user(webhook.acts_for)
    airflow = Airflow(services.inside, partial(token_of, user), str(webhook.acts_for))
    return Caller(
        webhook.tenant, "webhook", plans.get(plans.HOUSE), frozenset(), False, True, airflow, webhook.acts_for
    )
