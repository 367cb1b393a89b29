"""Ids of the runs that a batch starts. Every process of Airflow loads this, so it needs nothing else."""

import re

BATCH = "batch-"
DIGITS = 20
OF_A_BATCH = re.compile(rf"(?:^|\.r){BATCH}[0-9a-f]{{{DIGITS}}}$")
OWNER = re.compile(r"[a-z0-9-]+\.r(?=[0-9a-f])")
"""Begins the id of a run that the API started, and of all that belong to the same caller."""


def started_by(run_id: str, digest: str) -> str:
    """The id of a run that a run of a batch starts to make what has this digest: the same whenever it is asked for."""
    owner = OWNER.match(run_id)
    return f"{owner[0] if owner else ''}{BATCH}{digest[:DIGITS]}"


def of_schedule(name: str, when: str) -> str:
    """The id of the run of a batch that a schedule starts for a time; it belongs to whom the schedule does."""
    owner, dot, own = name.rpartition(".")
    return f"{owner}.r0{own}-{when}" if dot else f"schedule-{name}-{when}"


def is_of_batch(run_id: str) -> bool:
    """Whether a batch started this run."""
    return OF_A_BATCH.search(run_id) is not None
