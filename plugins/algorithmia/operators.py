"""Operators that call algorithms, and that paint chunks with them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from airflow.configuration import conf
from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from algorithmia.failures import failing_at_once
from algorithmia.hook import AlgorithmiaHook
from algorithmia.trigger import PicturesTrigger
from rotoscope.algorithmia.client import LONGEST_CALL
from rotoscope.steps.paint import begin_chunk
from rotoscope.store.base import Store
from video.ending import telling_its_end
from video.operators import FilterOperator


class AlgorithmiaOperator(BaseOperator):
    """Call any algorithm; its result is the task's XCom.

    input: JSON, or text, templated. What trying again cannot mend fails the task at once.

    ```python
    AlgorithmiaOperator(task_id="scenes", algorithm="media/SceneDetection", input={"video": "{{ params.video }}"})
    ```
    """

    template_fields: Sequence[str] = ("algorithm", "input")

    def __init__(
        self,
        *,
        algorithm: str,
        input: Any,
        timeout: float | None = None,
        algorithmia_conn_id: str = AlgorithmiaHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.algorithm = algorithm
        self.input = input
        self.timeout = timeout
        self.algorithmia_conn_id = algorithmia_conn_id

    def execute(self, context: Context) -> Any:
        with failing_at_once():
            answer = AlgorithmiaHook(self.algorithmia_conn_id).call(self.algorithm, self.input, self.timeout)
        self.log.info("%s took %.3f s of computing", self.algorithm, answer.seconds)
        if answer.content_type == "binary":
            raise AirflowFailException("A binary result is no reference; let the algorithm save it to a data URI.")
        return answer.result


class AlgorithmiaFilterOperator(FilterOperator):
    """Paint one chunk, with a filter of this machine or of an Algorithmia endpoint, as the request says.

    deferrable: where the filter is remote, give the worker's slot back while the endpoint paints. The endpoint then
    tells no computing time, so only calls are counted.
    """

    def __init__(
        self,
        *,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poll_seconds: float = 2.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deferrable = deferrable
        self.poll_seconds = poll_seconds

    def step(self, store: Store, context: Context) -> None:
        if self.deferrable:
            self._defer_until_painted(store, context["run_id"])
        super().step(store, context)

    def _defer_until_painted(self, store: Store, run_id: str) -> None:
        awaited = begin_chunk(store, self.chunk["plan"], self.chunk["index"], run_id, self.connect)
        if not awaited:
            return
        seconds = min(self.connect().client.timeout * len(awaited), LONGEST_CALL)
        trigger = PicturesTrigger(self.algorithmia_conn_id, awaited, seconds, self.poll_seconds)
        timeout = timedelta(seconds=seconds + LONGEST_CALL)
        self.defer(trigger=trigger, method_name="execute_painted", timeout=timeout)

    def execute_painted(self, context: Context, event: dict[str, Any]) -> None:
        """Fetch what was painted and put the chunk together. Raises AirflowException if it is not painted."""
        with telling_its_end(context), failing_at_once():
            if event["missing"]:
                missing = f"{event['missing']} of {event['awaited']} frames were not painted"
                raise AirflowException(f"{missing}: {event['why']}")
            super().step(self.store(), context)
