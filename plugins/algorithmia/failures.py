"""Which failures end a task for good, and which are left to its retries."""

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.sdk.exceptions import AirflowFailException

from rotoscope.algorithmia.errors import AlgorithmiaError
from rotoscope.errors import Refused


@contextmanager
def failing_at_once() -> Iterator[None]:
    """What trying again cannot mend fails the task for good, with its sentence; the rest is left to the retries."""
    try:
        yield
    except Refused as refusal:
        raise AirflowFailException(str(refusal)) from None
    except AlgorithmiaError as error:
        if error.when != "never":
            raise
        raise AirflowFailException(str(error)) from None
