"""Why runs failed, in the words of the task that did: the store outlives workers and their logs."""

from rotoscope.store import keys
from rotoscope.store.base import Store


def keep(store: Store, dag: str, run_id: str, task: str, map_index: int | None, reason: str) -> None:
    """Keep why a task of a run failed for good, instead of what was kept for that run before."""
    document = {"task": task, "map_index": map_index, "reason": reason}
    store.replace_json(keys.failure(dag, run_id), document)


def reason_of(store: Store, dag: str, run_id: str) -> str | None:
    """Why a run failed, None if that is not known, or not any more."""
    try:
        return str(store.get_json(keys.failure(dag, run_id))["reason"])
    except KeyError:
        return None
