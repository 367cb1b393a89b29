"""What is done when the run of a schedule is late. Airflow has counted it by then, and shows it."""

import logging
from typing import Any

log = logging.getLogger(__name__)


async def say_late(context: dict[str, Any]) -> None:
    """Say so in the triggerer's log. The run goes on."""
    run, deadline = context["dag_run"], context["deadline"]
    log.error(
        "%s is late: its run %s was to be over by %s.", run["dag_id"], run["dag_run_id"], deadline["deadline_time"]
    )
