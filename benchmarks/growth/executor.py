"""An executor whose tasks sleep. Airflow does for each all that it does for any task, but no process is started."""

import os
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pendulum
from airflow.executors.base_executor import BaseExecutor
from airflow.executors.workloads import ExecuteTask
from airflow.sdk.api.client import Client

SLOTS = 32
SECONDS, LONG_SECONDS = 5, 50
"""What a task takes, and one of the DAG `long`, which has a tenth as many."""


class SleepExecutor(BaseExecutor):
    """Sleeps for each task, some at once, and writes down when each begins and ends."""

    def start(self) -> None:
        self._pool = ThreadPoolExecutor(SLOTS)
        self._under_way: dict[Future[None], Any] = {}
        self._url = os.environ["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"]
        self._book = Path(os.environ["GROWTH_BOOK"])

    def _process_workloads(self, workload_items: Any) -> None:
        for workload in workload_items:
            assert isinstance(workload, ExecuteTask)
            del self.queued_tasks[workload.ti.key]
            self.running.add(workload.ti.key)
            self._under_way[self._pool.submit(self._sleep, workload)] = workload.ti.key

    def sync(self) -> None:
        for future in [one for one in self._under_way if one.done()]:
            key = self._under_way.pop(future)
            if future.exception():
                self.log.error("%s: %s", key, future.exception())
                self.fail(key)
            else:
                self.success(key)

    def end(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def terminate(self) -> None:
        self.end()

    def _sleep(self, workload: ExecuteTask) -> None:
        client = Client(base_url=self._url, token=workload.token)
        ti = workload.ti
        client.task_instances.start(ti.id, os.getpid(), pendulum.now("UTC"))
        self._note("begin", ti)
        time.sleep(LONG_SECONDS if ti.dag_id == "long" and ti.task_id == "filter" else SECONDS)
        client.task_instances.succeed(ti.id, pendulum.now("UTC"), [], [], None)
        self._note("end", ti)

    def _note(self, what: str, ti: Any) -> None:
        with self._book.open("a") as book:
            book.write(f"{what} {time.time():.3f} {ti.task_id} {ti.id}\n")
