"""Airflow as on many machines, on this one and without containers: `python -m tools.cluster up`, and `down`.

Celery on Redis, PostgreSQL, an S3 server, and a worker for each queue: what docker-compose.yaml has, as processes. It
takes the Debian packages postgresql and redis-server, and what requirements-fleet.txt has.
"""

import argparse
import hashlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path

from tools.local import CHECKOUT, COMPONENTS, PYTHON, Commands, LocalAirflow, free_port, settings_in, write_private

SETTINGS = CHECKOUT / "deploy" / "fleet.env"
REGISTER = CHECKOUT / "deploy" / "container" / "register.py"
PORTS = ("postgres", "redis", "s3")
DATABASE = "airflow"
SETTLED = 0.5
"""Seconds between looks at whether a server has come up."""


class Cluster(LocalAirflow):
    """Airflow's components, three services and a worker for each queue as child processes.

    painters: workers that paint; painting: chunks that each of them paints at once.
    """

    def __init__(
        self, home: Path, settings: dict[str, str] | None = None, port: int = 0, painters: int = 1, painting: int = 4
    ) -> None:
        super().__init__(home, settings, port)
        self.painters, self.painting = painters, painting

    @property
    def s3_url(self) -> str:
        """Where its bucket `rotoscope` is."""
        return f"http://127.0.0.1:{self._known()['s3']}"

    def components(self) -> Commands:
        workers = {"worker-split": self._worker("split", "split", 2)}
        for number in range(1, self.painters + 1):
            workers[f"worker-filter-{number}"] = self._worker(f"filter-{number}", "filter", self.painting)
        return {**COMPONENTS, **workers, "worker-assemble": self._worker("assemble", "assemble", 1)}

    def services(self) -> Commands:
        known = self._known()
        redis = ["--port", str(known["redis"]), "--bind", "127.0.0.1", "--requirepass", str(known["password"])]
        s3 = ["serve", "--host", "127.0.0.1", "--port", str(known["s3"]), "--data-dir", str(self.home / "buckets")]
        listening = ["-p", str(known["postgres"]), "-h", "127.0.0.1", "-c", "unix_socket_directories="]
        return {
            "postgres": [*_as_postgres(), str(_postgres("postgres")), "-D", str(self._cluster), *listening],
            "redis": [_program("redis-server"), *redis, "--dir", str(self.home), "--appendonly", "yes"],
            "s3": [str(CHECKOUT / ".venv" / "bin" / "nanio"), *s3, "--log-level", "warning", "--no-access-log"],
        }

    def environment(self) -> dict[str, str]:
        known = self._known()
        database = f"{DATABASE}:{known['password']}@127.0.0.1:{known['postgres']}/{DATABASE}"
        redis = f"redis://:{known['password']}@127.0.0.1:{known['redis']}"
        return {
            **super().environment(),
            **settings_in(SETTINGS),
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__SECRET_KEY": str(known["password"]),
            "AIRFLOW__API_AUTH__JWT_SECRET": str(known["jwt"]),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{database}",
            "AIRFLOW__CELERY__RESULT_BACKEND": f"db+postgresql+psycopg2://{database}",
            "AIRFLOW__CELERY__BROKER_URL": f"{redis}/0",
            "ROTOSCOPE_RATE_STORAGE": f"{redis}/1",
            "NANIO_ACCESS_KEY": "rotoscope",
            "NANIO_SECRET_KEY": str(known["password"]),
            **self.settings,
        }

    def prepare(self) -> None:
        super().prepare()
        path = self.home / "cluster.json"
        if not path.exists():
            made = {name: free_port() for name in PORTS}
            write_private(path, json.dumps({**made, "password": secrets.token_hex(24), "jwt": secrets.token_hex(32)}))
        (self.home / "buckets").mkdir(exist_ok=True)
        if not (self._cluster / "PG_VERSION").exists():
            self._make_database_cluster()

    def migrate(self) -> None:
        for name in PORTS:
            self.until(name, partial(self._listens, name))
        if not self.query(f"select 1 from pg_database where datname = '{DATABASE}'", "postgres"):
            self.query(f"create database {DATABASE}", "postgres")
        super().migrate()

    def register(self) -> None:
        places = {"AIRFLOW_URL": self.url, "S3_URL": self.s3_url, "PUBLIC_S3_URL": self.s3_url}
        done = subprocess.run(
            [sys.executable, str(REGISTER)], env={**self.environment(), **places}, capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(f"Pools and connections could not be made: {done.stderr[-500:]}")

    def forget(self) -> None:
        """Delete everything of it, which must be stopped."""
        shutil.rmtree(self._cluster, ignore_errors=True)
        shutil.rmtree(self.home, ignore_errors=True)

    @property
    def _cluster(self) -> Path:
        """PostgreSQL's files. It refuses to be root, and its user may not see our folders."""
        if os.geteuid():
            return self.home / "postgres"
        return Path("/var/tmp") / f"rotoscope-{hashlib.sha256(str(self.home).encode()).hexdigest()[:12]}"

    def _known(self) -> dict[str, str | int]:
        """Ports and secrets, chosen at the first start. Raises FileNotFoundError before."""
        known: dict[str, str | int] = json.loads((self.home / "cluster.json").read_text())
        return known

    def _worker(self, name: str, queue: str, at_once: int) -> list[str]:
        options = ["-q", queue, "-c", str(at_once), "--celery-hostname", f"{name}@{socket.gethostname()}"]
        pid = ["--pid", str(self.home / f"celery-{name}.lock")]
        return [*PYTHON, "airflow", "celery", "worker", *options, *pid, "--skip-serve-logs", "--without-mingle"]

    def _make_database_cluster(self) -> None:
        folder, password = self._cluster, self._cluster.with_suffix(".password")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)
        write_private(password, f"{self._known()['password']}\n")
        if not os.geteuid():
            shutil.chown(folder, "postgres", "postgres")
            shutil.chown(password, "postgres", "postgres")
        who = ["-U", DATABASE, "--pwfile", str(password), "-A", "scram-sha-256", "-E", "UTF8", "--no-sync"]
        command = [*_as_postgres(), str(_postgres("initdb")), "-D", str(folder), *who]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/")
        password.unlink()
        if done.returncode:
            raise RuntimeError(f"PostgreSQL's files could not be made: {done.stderr[-500:]}")

    def query(self, sql: str, database: str = DATABASE) -> str:
        """What the database answers, without a header."""
        known = self._known()
        place = ["-h", "127.0.0.1", "-p", str(known["postgres"]), "-U", DATABASE, "-d", database]
        environment = {**os.environ, "PGPASSWORD": str(known["password"])}
        command = [str(_postgres("psql")), *place, "-v", "ON_ERROR_STOP=1", "-Atc", sql]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()

    def _listens(self, name: str) -> bool:
        with socket.socket() as probe:
            probe.settimeout(SETTLED)
            return probe.connect_ex(("127.0.0.1", int(self._known()[name]))) == 0


def _as_postgres() -> list[str]:
    """What makes a command run as PostgreSQL's user, where we are root."""
    return [] if os.geteuid() else ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]


def _postgres(name: str) -> Path:
    """A program of the newest PostgreSQL here. Raises RuntimeError if there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[4]))
    if not found:
        raise RuntimeError("There is no PostgreSQL here; install it (Debian: apt-get install postgresql).")
    return found[-1]


def _program(name: str) -> str:
    found = shutil.which(name)
    if not found:
        raise RuntimeError(f"There is no {name} here; install it (Debian: apt-get install {name}).")
    return found


def main() -> None:
    """Start or stop it."""
    parser = argparse.ArgumentParser(prog="python -m tools.cluster", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "forget"])
    parser.add_argument("--painters", type=int, default=1, metavar="N", help="workers that paint")
    wanted = parser.parse_args()
    port = int(os.environ.get("AIRFLOW_PORT", "8080"))
    cluster = Cluster(CHECKOUT / ".airflow-cluster", port=port, painters=wanted.painters)
    if wanted.command in ("down", "forget"):
        cluster.down()
        print("The cluster is stopped.")
        if wanted.command == "forget":
            cluster.forget()
        return
    print("Starting PostgreSQL, Redis, an S3 server, Airflow and its workers ...", flush=True)
    cluster.up()
    print(f"Airflow runs at {cluster.url}\n  user admin, password {cluster.password}")
    print(f"Workers on their queues: split, {cluster.painters} x filter, assemble. `make down-cluster` stops it all.")


if __name__ == "__main__":
    try:
        main()
    except RuntimeError as error:
        sys.exit(str(error))
