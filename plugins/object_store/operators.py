"""Operators that bring videos into the store and results out of it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException

from algorithmia.failures import failing_at_once
from algorithmia.hook import AlgorithmiaHook
from object_store.connection import DEFAULT_CONNECTION, store_from
from object_store.hook import ObjectStoreHook
from object_store.trigger import ArrivalTrigger
from rotoscope.media.probe import file_sha256
from rotoscope.steps.register import register
from rotoscope.store.base import Store

SLACK = timedelta(minutes=1)


class ObjectOperator(BaseOperator):
    """What moves an object between the store and the world.

    wait_seconds: for an object that is not there yet, without holding a worker; 0 not to wait.
    """

    def __init__(
        self,
        *,
        wait_seconds: float = 0,
        poll_seconds: float = 10,
        store_connection: str = DEFAULT_CONNECTION,
        aws_conn_id: str = "aws_default",
        algorithmia_conn_id: str = AlgorithmiaHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.wait_seconds = wait_seconds
        self.poll_seconds = poll_seconds
        self.store_connection = store_connection
        self.aws_conn_id = aws_conn_id
        self.algorithmia_conn_id = algorithmia_conn_id

    def execute(self, context: Context) -> Any:
        with failing_at_once():
            awaited = self.awaited()
            if self.wait_seconds and awaited and not self.is_there(awaited):
                connections = (self.aws_conn_id, self.algorithmia_conn_id, self.awaited_store)
                trigger = ArrivalTrigger(awaited, self.wait_seconds, self.poll_seconds, *connections)
                timeout = timedelta(seconds=self.wait_seconds) + SLACK
                self.defer(trigger=trigger, method_name="execute_arrived", timeout=timeout)
            return self.move(self.store, context["run_id"])

    def execute_arrived(self, context: Context, event: dict[str, Any]) -> Any:
        """Go on after the wait. Fails for good if nothing came."""
        if not event["arrived"]:
            raise AirflowFailException(f"{self.awaited()} did not arrive within {self.wait_seconds:g} s.")
        with failing_at_once():
            return self.move(self.store, context["run_id"])

    def awaited(self) -> str | None:
        """The URI of the object that must be there, or its key in `awaited_store`, if that can be told."""
        raise NotImplementedError

    @property
    def awaited_store(self) -> str | None:
        """The connection of the store in which an object is awaited, None for the world."""
        return None

    def is_there(self, awaited: str) -> bool:
        """Whether what is awaited is there."""
        return self.store.exists(awaited) if self.awaited_store else self.hook.exists(awaited)

    def move(self, store: Store, run_id: str) -> Any:
        """Do the work; what it returns is the task's XCom."""
        raise NotImplementedError

    @property
    def hook(self) -> ObjectStoreHook:
        """What reaches the world."""
        return ObjectStoreHook(self.aws_conn_id, self.algorithmia_conn_id)

    @property
    def store(self) -> Store:
        """The store that the connection points at."""
        return store_from(self.store_connection)


class StageInOperator(ObjectOperator):
    """Bring a video into the store: from s3://, data://, http(s)://, or a file. What is there already stays.

    Returns `video://SHA256`, which a request takes as its source.

    ```python
    StageInOperator(task_id="stage_in", source="s3://inbox/{{ ds }}.mp4", wait_seconds=3600)
    ```
    """

    template_fields: Sequence[str] = ("source",)

    def __init__(self, *, source: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.source = source

    def awaited(self) -> str | None:
        return None if self.source.lower().startswith("http") else self.source

    def move(self, store: Store, run_id: str) -> str:
        return f"video://{register(store, self.source, run_id, self.hook.fetch)}"


class PublishOperator(ObjectOperator):
    """Copy one object of a result out of the store, such as the painted video, to s3://BUCKET/PREFIX.

    object_key: its key in the store, as `assemble` returns it. metadata: kept with the object. The same bytes are not
    sent twice. Returns the object's URI; a link for others is `ObjectStoreHook.download_link`, which is a secret.

    ```python
    PublishOperator(task_id="publish", object_key="{{ ti.xcom_pull('assemble')['video'] }}", target="s3://films/painted")
    ```
    """

    template_fields: Sequence[str] = ("object_key", "target", "metadata")

    def __init__(self, *, object_key: str, target: str, metadata: dict[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.object_key = object_key
        self.target = target
        self.metadata = metadata or {}

    def awaited(self) -> str | None:
        return self.object_key

    @property
    def awaited_store(self) -> str | None:
        return self.store_connection

    def move(self, store: Store, run_id: str) -> str:
        uri = f"{self.target.rstrip('/')}/{self.object_key.rpartition('/')[2]}"
        with store.local(self.object_key) as path:
            sent = self.hook.send(path, uri, file_sha256(path), self.metadata)
        self.log.info("%s %s", uri, "is published" if sent else "was published before; nothing to do")
        return uri
