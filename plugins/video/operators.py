"""Operators for split, filter and assemble: a task's life around the domain's steps, and nothing more."""

import os
from collections.abc import Sequence
from typing import Any

from airflow.sdk import BaseOperator, Context, XComArg

from algorithmia.failures import failing_at_once
from algorithmia.hook import AlgorithmiaHook
from object_store.connection import DEFAULT_CONNECTION, store_from
from object_store.hook import ObjectStoreHook
from rotoscope.algorithmia.endpoint import Endpoint
from rotoscope.algorithmia.errors import AlgorithmiaError
from rotoscope.fetch import Fetch
from rotoscope.frames import FrameSetRequest
from rotoscope.media import process
from rotoscope.request import Request
from rotoscope.sheet import SheetRequest
from rotoscope.steps.assemble import assemble
from rotoscope.steps.create import create_filter
from rotoscope.steps.frames import make_frame_set
from rotoscope.steps.paint import paint_chunk
from rotoscope.steps.register import register
from rotoscope.steps.remote import clear_scratch
from rotoscope.steps.sheet import make_sheet
from rotoscope.steps.split import split
from rotoscope.store import keys
from rotoscope.store.base import Store
from rotoscope.store.fetching import fetching
from rotoscope.store.filters import finder
from rotoscope.store.uploads import CONTENT
from rotoscope.style import StyleRequest
from video.ending import await_ends, telling_its_end


class StepOperator(BaseOperator):
    """A step over a store. A refusal fails the task at once, since trying again cannot help; the rest is retried."""

    def __init__(
        self,
        *,
        store_connection: str = DEFAULT_CONNECTION,
        algorithmia_conn_id: str = AlgorithmiaHook.default_conn_name,
        aws_conn_id: str = "aws_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.store_connection = store_connection
        self.aws_conn_id = aws_conn_id
        self.algorithmia_conn_id = algorithmia_conn_id

    def execute(self, context: Context) -> Any:
        with telling_its_end(context), failing_at_once():
            return self.step(self.store(), context)

    def step(self, store: Store, context: Context) -> Any:
        """Do the work; what it returns is the task's XCom."""
        raise NotImplementedError

    def store(self) -> Store:
        """The store that the connection points at."""
        return store_from(self.store_connection)

    def connect(self) -> Endpoint:
        """The endpoint where remote filters paint."""
        return AlgorithmiaHook(self.algorithmia_conn_id).endpoint

    def fetch(self) -> Fetch:
        """What brings URLs, with the connections that they need."""
        return fetching(self.store(), ObjectStoreHook(self.aws_conn_id, self.algorithmia_conn_id).fetch)

    def on_kill(self) -> None:
        process.kill_all()


def threads_of(slots: int) -> int:
    """Processor threads for one of `slots` tasks side by side on this machine, or what ROTOSCOPE_THREADS says."""
    return int(os.environ.get("ROTOSCOPE_THREADS") or 0) or max(1, len(os.sched_getaffinity(0)) // slots)


class SplitOperator(StepOperator):
    """Register and probe the source in the run's params and cut it into chunks.

    Returns a reference for each chunk, to be mapped over, and pushes the plan's key as `plan`.

    ```python
    split = SplitOperator(task_id="split", slots=2)
    FilterOperator.partial(task_id="filter", slots=2).expand(chunk=split.output)
    ```
    """

    def __init__(self, *, slots: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.slots = slots

    def step(self, store: Store, context: Context) -> list[dict[str, Any]]:
        request = Request.parse(dict(context["params"]), finder(store))
        threads = threads_of(self.slots)
        plan_key, plan = split(request, store, context["run_id"], self.slots, threads, self.connect, self.fetch())
        context["ti"].xcom_push("plan", plan_key)
        return [{"plan": plan_key, **chunk.model_dump(include={"index", "frames", "label"})} for chunk in plan.chunks]


class FilterOperator(StepOperator):
    """Paint one chunk, unless the store has it painted already. `chunk` is a reference that split returned."""

    template_fields: Sequence[str] = ("chunk",)

    def __init__(self, *, chunk: dict[str, Any], slots: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.chunk = chunk
        self.slots = slots

    def step(self, store: Store, context: Context) -> None:
        run_id = context["run_id"]
        paint_chunk(store, self.chunk["plan"], self.chunk["index"], run_id, threads_of(self.slots), self.connect)


class AssembleOperator(StepOperator):
    """Join the painted chunks of a plan, put the sound back, verify and publish. Returns the result's keys by kind."""

    template_fields: Sequence[str] = ("plan",)

    def __init__(self, *, plan: str | XComArg, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.plan = plan

    def step(self, store: Store, context: Context) -> dict[str, str]:
        return assemble(store, str(self.plan), context["run_id"], self.connect)


class ContactSheetOperator(StepOperator):
    """Paint the contact sheet of the run's params, unless it is there. Returns the keys of its page and picture."""

    def __init__(self, *, slots: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.slots = slots

    def step(self, store: Store, context: Context) -> dict[str, str]:
        request = SheetRequest.parse(dict(context["params"]), finder(store))
        return make_sheet(request, store, context["run_id"], threads_of(self.slots), self.fetch())


class CreateFilterOperator(StepOperator):
    """Make a filter of the picture in the run's params. Returns its reference and the keys of its files."""

    def step(self, store: Store, context: Context) -> dict[str, str]:
        request = StyleRequest.parse(dict(context["params"]))
        return create_filter(request, store, context["run_id"], self.fetch())


class RegisterVideoOperator(StepOperator):
    """Bring the video in the run's params into the store. Returns what a request takes as its source."""

    def step(self, store: Store, context: Context) -> str:
        return f"video://{register(store, str(context['params']['source']), context['run_id'], self.fetch())}"


class FrameSetOperator(StepOperator):
    """Separate the video in the run's params into pictures, or paint a set of them. Returns the key of the set."""

    def __init__(self, *, slots: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.slots = slots

    def step(self, store: Store, context: Context) -> dict[str, str]:
        request = FrameSetRequest.parse(dict(context["params"]), finder(store))
        return make_frame_set(request, store, context["run_id"], threads_of(self.slots), self.fetch())


class CleanUpOperator(StepOperator):
    """Delete what the run needed only while it lasted. Videos, painted chunks and results stay."""

    def step(self, store: Store, context: Context) -> None:
        run_id = context["run_id"]
        steps = [task.task_id for task in self.upstream_list if issubclass(task.operator_class, StepOperator)]
        await_ends(context, steps)
        try:
            clear_scratch(store, run_id, self.connect)
        except AlgorithmiaError as error:
            if error.when == "never":
                store.delete(keys.run(run_id))  # otherwise trying again needs to know of the run
            raise
        store.delete(keys.incoming(run_id, CONTENT))
        deleted = store.delete(keys.run(run_id))
        self.log.info("%d scratch objects deleted", deleted)
