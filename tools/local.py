"""Airflow on this machine: `python -m tools.local up` starts it, `down` stops it. No Docker, no server beside it."""

import argparse
import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

CHECKOUT = Path(__file__).resolve().parents[1]
INCLUDE = CHECKOUT / "include"
PYTHON = (sys.executable, "-m")
Commands = dict[str, list[str]]
"""How processes are started, by their names."""
COMPONENTS: Commands = {
    "api-server": [*PYTHON, "airflow", "api-server"],
    "scheduler": [*PYTHON, "airflow", "scheduler", "--skip-serve-logs"],
    "dag-processor": [*PYTHON, "airflow", "dag-processor"],
    "triggerer": [*PYTHON, "airflow", "triggerer", "--skip-serve-logs"],
}
ALGORITHMIA = "algorithmia-server"
SERVICES = {ALGORITHMIA, "postgres", "redis", "s3"}
"""What may run beside Airflow."""
ALGORITHMIA_PORT = 8090
START_SECONDS = 180
STOP_SECONDS = 30
DAG_ID = "rotoscope"
FINISHED = ("success", "failed")
WHERE_BUSY = Retry(
    total=None, connect=0, read=0, status=5, status_forcelist=[500, 503], backoff_factor=0.2, raise_on_status=False
)
"""Airflow answers so to what it only reads, too, where SQLite was locked by somebody else."""


class LocalAirflow:
    """Airflow's components as child processes, with everything that they write in the folder `home`.

    settings: go over include/airflow.env, named like environment variables. port: for the web UI and the API, if it
    is free; otherwise, and for 0, any free one. algorithmia: whether the bundled Algorithmia server runs beside it.
    """

    awaited = DAG_ID
    """The DAG that must be known before it counts as started."""

    def __init__(
        self, home: Path, settings: dict[str, str] | None = None, port: int = 0, algorithmia: bool = False
    ) -> None:
        self.home = home
        self.algorithmia = algorithmia
        self.settings = settings or {}
        self._wanted_port = port
        self._token: str | None = None
        self._http = requests.Session()
        self._http.trust_env = False  # a proxy of the user's is not for this machine
        self._http.mount("http://", HTTPAdapter(max_retries=WHERE_BUSY))

    @property
    def port(self) -> int:
        return int((self.home / "port").read_text())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def password(self) -> str:
        passwords: dict[str, str] = json.loads((self.home / "passwords.json").read_text())
        return passwords["admin"]

    @property
    def token(self) -> str:
        """The administrator's token for Airflow's API and for ours, good for a day."""
        if self._token is None:
            login = {"username": "admin", "password": self.password}
            answer = self._http.post(f"{self.url}/auth/token", json=login, timeout=30)
            answer.raise_for_status()
            self._token = answer.json()["access_token"]
        return self._token

    @property
    def algorithmia_url(self) -> str:
        return f"http://127.0.0.1:{int((self.home / 'algorithmia-port').read_text())}"

    def components(self) -> Commands:
        """Airflow's own processes."""
        return COMPONENTS

    def services(self) -> Commands:
        """What runs beside Airflow, and before it."""
        if not self.algorithmia:
            return {}
        port, key = (self.home / "algorithmia-port").read_text(), (self.home / "algorithmia-key").read_text()
        options = ["--port", port, "--key", key, "--data", str(self.home / "algorithmia")]
        return {ALGORITHMIA: [*PYTHON, "algorithmia_server", *options]}

    def environment(self) -> dict[str, str]:
        """The environment for any `airflow` command of this Airflow."""
        (self.home / "tmp").mkdir(parents=True, exist_ok=True)
        return {
            **settings_in(INCLUDE / "airflow.env"),
            **os.environ,
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(CHECKOUT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(CHECKOUT / "plugins"),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.home / "passwords.json"),
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.home / 'airflow.db'}",
            "PATH": f"{CHECKOUT / '.venv' / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "TMPDIR": str(self.home / "tmp"),
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            **self.settings,
        }

    def running(self) -> bool:
        """Whether every component is alive."""
        try:
            return all(self.process(name) for name in [*self.services(), *self.components()])
        except FileNotFoundError:
            return False  # it never ran

    def up(self) -> None:
        """Start what is not running and wait until a run can be triggered. Raises RuntimeError if that fails."""
        if not self.running():
            self.down()
            self.prepare()
            for name, command in self.services().items():
                self.start(name, command)
            self.migrate()
            for name, command in self.components().items():
                self.start(name, command)
        # Also where it runs: the start may have been broken off before it was finished.
        self.until("its API", lambda: self.healthy("metadatabase"))
        self.register()
        self._http.get(f"{self.url}/execution/health", timeout=60)  # its first call takes seconds; let that be this one
        self.until("the scheduler", lambda: self.healthy("scheduler", "dag_processor"))
        self.until("the DAG", lambda: self.call("GET", f"/api/v2/dags/{self.awaited}").ok)

    def down(self) -> None:
        """Stop every component with its tasks; waits until they are gone."""
        self._http.close()  # the API server waits for open connections
        there = {path.stem for path in self.home.glob("*.pid")}
        beside = there & SERVICES  # Airflow needs them until its end
        for names in (there - beside, beside):
            self.stop(names)

    def stop(self, names: set[str]) -> None:
        """Stop these components with their children; waits until they are gone."""
        mains = [process for name in names if (process := self.process(name))]
        everyone = [child for main in mains for child in main.children(recursive=True)] + mains
        for main in mains:
            main.terminate()
        _, left = psutil.wait_procs(mains, STOP_SECONDS)
        for process in psutil.wait_procs(everyone, timeout=1)[1] + left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        for name in names:
            (self.home / f"{name}.pid").unlink(missing_ok=True)

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """Call Airflow's REST API as its administrator."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return self._http.request(method, f"{self.url}{path}", headers=headers, timeout=60, **options)

    def healthy(self, *components: str) -> bool:
        """Whether Airflow says so of these components."""
        health = self._http.get(f"{self.url}/api/v2/monitor/health", timeout=10).json()
        return all(health[name]["status"] == "healthy" for name in components)

    def trigger(self, conf: dict[str, Any], dag: str = DAG_ID) -> str:
        """Start a run of a DAG; gives its id. Raises ValueError with Airflow's words if it refuses the conf."""
        answer = self.call("POST", f"/api/v2/dags/{dag}/dagRuns", json={"logical_date": None, "conf": conf})
        if answer.status_code in (400, 422):
            raise ValueError(str(answer.json()["detail"]))
        answer.raise_for_status()
        run_id: str = answer.json()["dag_run_id"]
        return run_id

    def run_state(self, run_id: str, dag: str = DAG_ID) -> str:
        """queued, running, success or failed."""
        answer = self.call("GET", f"/api/v2/dags/{dag}/dagRuns/{run_id}")
        answer.raise_for_status()
        state: str = answer.json()["state"]
        return state

    def wait(self, run_id: str, seconds: float = 600, every: float = 0.2, dag: str = DAG_ID) -> str:
        """Wait for a run's end, asking `every` so many seconds; gives its state. Raises TimeoutError if it lasts."""
        deadline = time.monotonic() + seconds
        while (state := self.run_state(run_id, dag)) not in FINISHED:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{run_id} is {state} after {seconds:.0f} s.")
            time.sleep(every)
        return state

    def tasks(self, run_id: str, dag: str = DAG_ID) -> list[dict[str, Any]]:
        """Every task instance of a run, mapped ones too."""
        found: list[dict[str, Any]] = []
        while True:
            page = {"limit": 100, "offset": len(found)}
            path = f"/api/v2/dags/{dag}/dagRuns/{run_id}/taskInstances"
            answer = self.call("GET", path, params=page)
            answer.raise_for_status()
            found += answer.json()["task_instances"]
            if len(found) >= answer.json()["total_entries"]:
                return found

    def xcom(self, run_id: str, task_id: str, key: str = "return_value", dag: str = DAG_ID) -> Any:
        """A value that a task left behind."""
        path = f"/api/v2/dags/{dag}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/{key}"
        answer = self.call("GET", path)
        answer.raise_for_status()
        return answer.json()["value"]

    def log(
        self, run_id: str, task_id: str, map_index: int = -1, attempt: int = 1, dag: str = DAG_ID
    ) -> list[dict[str, Any]]:
        """The entries in the log of one try of a task; `event` is the message."""
        path = f"/api/v2/dags/{dag}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{attempt}"
        answer = self.call("GET", path, params={"map_index": map_index})
        answer.raise_for_status()
        return [line for line in answer.json()["content"] if isinstance(line, dict)]

    def errors(self, run_id: str, task_id: str, map_index: int = -1, attempt: int = 1, dag: str = DAG_ID) -> list[str]:
        """The exceptions in the log of one try of a task, in their own words."""
        details = [line.get("error_detail") or [] for line in self.log(run_id, task_id, map_index, attempt, dag)]
        return [str(error["exc_value"]) for errors in details for error in errors]

    def prepare(self) -> None:
        """Make the folder, and choose ports and passwords."""
        self.home.mkdir(parents=True, exist_ok=True)
        if not (self.home / "passwords.json").exists():
            write_private(self.home / "passwords.json", json.dumps({"admin": secrets.token_urlsafe(9)}))
        (self.home / "port").write_text(str(free_port(self._wanted_port)))
        if self.algorithmia:
            if not (self.home / "algorithmia-key").exists():
                write_private(self.home / "algorithmia-key", f"sim{secrets.token_urlsafe(16)}")
            (self.home / "algorithmia-port").write_text(str(free_port(ALGORITHMIA_PORT)))

    def migrate(self) -> None:
        """Make Airflow's database, or bring it up to date."""
        done = self.home / "migrated"
        version = (CHECKOUT / "requirements.txt").read_text().partition("apache-airflow==")[2].split()[0]
        if done.exists() and done.read_text() == version:
            return
        migrated = subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"], env=self.environment(), capture_output=True, text=True
        )
        if migrated.returncode:
            raise RuntimeError(f"Airflow's database could not be made: {migrated.stderr[-500:]}")
        done.write_text(version)

    def register(self) -> None:
        """Make pools and connections that are not there yet."""
        self._register("pools", "name", "pools.json", {})
        self._register("connections", "connection_id", "connections.json", {"extra": json.dumps})
        if self.algorithmia:
            self._connect_algorithmia()

    def start(self, name: str, command: list[str]) -> None:
        """Start a process that goes on when this one ends. What it says is in the file NAME.log."""
        with (self.home / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(
                command,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        started = psutil.Process(child.pid).create_time()
        (self.home / f"{name}.pid").write_text(f"{child.pid} {started}")

    def _connect_algorithmia(self) -> None:
        """Let the connection lead to the server, which may have another port each time."""
        fields = {
            "connection_id": "algorithmia_default",
            "conn_type": "algorithmia",
            "host": self.algorithmia_url,
            "password": (self.home / "algorithmia-key").read_text(),
        }
        answer = self.call("POST", "/api/v2/connections", json=fields)
        if answer.status_code == 409:
            answer = self.call("PATCH", "/api/v2/connections/algorithmia_default", json=fields)
        answer.raise_for_status()
        self.until("Algorithmia server", lambda: self._http.get(f"{self.algorithmia_url}/health", timeout=5).ok)

    def process(self, name: str) -> psutil.Process | None:
        """A process that was started, unless it has ended and another has its number now."""
        try:
            pid, started = (self.home / f"{name}.pid").read_text().split()
            process = psutil.Process(int(pid))
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            return None
        ended = process.status() == psutil.STATUS_ZOMBIE or process.create_time() != float(started)
        return None if ended else process

    def until(self, what: str, ready: Callable[[], bool]) -> None:
        """Wait until something is ready. Raises RuntimeError if that takes too long, or if a process has ended."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                if ready():
                    return
            except (requests.RequestException, KeyError):
                pass
            if not all(self.process(path.stem) for path in self.home.glob("*.pid")):
                raise RuntimeError(f"Airflow stopped while it started; its logs are {self.home}/*.log.")
            if time.monotonic() > deadline:
                raise RuntimeError(f"Airflow's {what} did not start in {START_SECONDS} s; see {self.home}/*.log.")
            time.sleep(0.2)

    def _register(self, kind: str, id_field: str, file: str, encode: dict[str, Callable[[Any], Any]]) -> None:
        """Make the pools or connections of a file in include/ that are not there yet; what a user changed stays."""
        for name, fields in json.loads((INCLUDE / file).read_text()).items():
            body = {id_field: name, **{key: encode.get(key, lambda same: same)(value) for key, value in fields.items()}}
            # SQLite may be busy with what went on before the last stop; the second try finds the first one's work.
            self.until(f"database, for {name},", partial(self._registered, kind, body))

    def _registered(self, kind: str, body: dict[str, Any]) -> bool:
        return self.call("POST", f"/api/v2/{kind}", json=body).status_code in (201, 409)


def settings_in(path: Path) -> dict[str, str]:
    """The variables in a file of settings."""
    lines = path.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def write_private(path: Path, text: str) -> None:
    """Write a file that nobody else can read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


def free_port(wanted: int = 0) -> int:
    """A port on 127.0.0.1 that is free: this one, if it is."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
            )  # what was just closed is free, as servers see it
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise RuntimeError("No port is free on 127.0.0.1.")


def default() -> LocalAirflow:
    """The Airflow of this checkout."""
    port, algorithmia = int(os.environ.get("AIRFLOW_PORT", "8080")), bool(os.environ.get("ALGORITHMIA"))
    return LocalAirflow(CHECKOUT / ".airflow", port=port, algorithmia=algorithmia)


def main() -> None:
    """Start or stop it."""
    parser = argparse.ArgumentParser(prog="python -m tools.local", description=__doc__)
    parser.add_argument("command", choices=["up", "down"])
    airflow = default()
    if parser.parse_args().command == "down":
        airflow.down()
        print("Airflow is stopped.")
        return
    print("Starting Airflow ...", flush=True)
    airflow.up()
    print(f"Airflow runs at {airflow.url}\n  user admin, password {airflow.password}")
    if airflow.algorithmia:
        print(f"Algorithmia's protocol is spoken at {airflow.algorithmia_url}, with the connection algorithmia_default")
    print("`make down` stops it.")


if __name__ == "__main__":
    try:
        main()
    except RuntimeError as error:
        sys.exit(str(error))
