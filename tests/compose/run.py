"""Start the whole docker-compose.yaml, have it paint, scale it, and take it down: `make test-compose`.

With docker, or with podman and podman-compose. Where the images of PostgreSQL and Redis cannot be pulled, images made
of Debian's packages stand in for them.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import requests
import yaml
from tools.local import CHECKOUT, free_port

from tests.media import make_video, sound_hash, timestamps

HERE = Path(__file__).parent
PROJECT = "rotoscope-test"
STAND_INS = {"postgres": "postgres:15-bookworm", "redis": "redis:7-bookworm"}
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
ONCE = {"secrets", "migrate", "register"}
LASTING = {
    *("postgres", "redis", "s3", "algorithmia", "api-server", "scheduler", "dag-processor", "triggerer"),
    *("worker-split", "worker-filter", "worker-assemble"),
}
PAINTERS = ("--filter", "label=com.docker.compose.service=worker-filter")
SECONDS = 600


class Compose:
    """The engine that this machine has. settings: variables of docker-compose.yaml."""

    def __init__(self, settings: dict[str, str]) -> None:
        docker = shutil.which("docker") and not subprocess.run(["docker", "info"], capture_output=True).returncode
        self.engine = "docker" if docker else "podman"
        self.command = ["docker", "compose"] if docker else [str(Path(sys.executable).parent / "podman-compose")]
        if self.engine == "podman" and not shutil.which("podman"):
            sys.exit("There is neither Docker nor podman here; install one of them (Debian: apt-get install podman).")
        self.environment = {**os.environ, **settings, "COMPOSE_PROJECT_NAME": PROJECT}

    def run(self, *arguments: str) -> None:
        """Run compose. Exits with what it said if it fails."""
        command = [*self.command, *arguments]
        done = subprocess.run(command, cwd=CHECKOUT, env=self.environment, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{' '.join(arguments)} failed: {done.stderr[-3000:]}")

    def up(self) -> None:
        """Start everything, each service when those that it depends on are as it says."""
        if self.engine == "docker":
            self.run("up", "-d")
            return
        # Debian's podman knows no conditions of health, so they are kept here.
        services = yaml.safe_load((CHECKOUT / "docker-compose.yaml").read_text())["services"]
        started: set[str] = set()
        while waiting := [name for name in services if name not in started]:
            states = self.containers()
            ready = [name for name in waiting if _is_ready(services[name].get("depends_on", {}), states)]
            for name in ready:
                self.run("up", "-d", "--no-deps", name)
                started.add(name)
            if not ready:
                time.sleep(1)

    def ask(self, *arguments: str) -> str:
        """What the engine says."""
        done = subprocess.run([self.engine, *arguments], capture_output=True, text=True, check=True)
        return done.stdout

    def scale(self, service: str, count: int) -> None:
        """Run so many containers of a service."""
        alone = ["--no-deps"] if self.engine == "podman" else []
        self.run("up", "-d", "--no-recreate", *alone, "--scale", f"{service}={count}", service)

    def down(self) -> None:
        """Stop everything and delete its volumes."""
        if self.engine == "podman":  # whose compose forgets containers that it made by scaling
            painters = self.ask("ps", "-aq", "--filter", f"label=com.docker.compose.project={PROJECT}", *PAINTERS)
            for one in painters.split():
                self.ask("rm", "-f", "-t", "30", one)
        self.run("down", "-v")

    def build(self) -> None:
        """Build our image, and stand-ins for those that cannot be pulled."""
        trusted = ["-v", f"{CERTIFICATES}:{CERTIFICATES}:ro"] if self.engine == "podman" else []
        subprocess.run([self.engine, "build", "-q", "-t", "rotoscope", *trusted, str(CHECKOUT)], check=True)
        for name, image in STAND_INS.items():
            if self._does("image", "inspect", image) or self._does("pull", "-q", image):
                continue
            print(f"{image} cannot be pulled; made of Debian's packages instead", flush=True)
            subprocess.run([self.engine, "build", "-q", "-t", image, "--target", name, *trusted, str(HERE)], check=True)

    def containers(self) -> dict[str, list[str]]:
        """The states of each service's containers: `healthy`, `exited 0` and so on."""
        ids = self.ask("ps", "-aq", "--filter", f"label=com.docker.compose.project={PROJECT}").split()
        if self.engine == "podman":  # which leaves the checks to systemd, where there is one
            for one in ids:
                self._does("healthcheck", "run", one)
        found: dict[str, list[str]] = {}
        for one in json.loads(self.ask("inspect", *ids)) if ids else []:
            state: dict[str, Any] = one["State"]
            health = (state.get("Health") or state.get("Healthcheck") or {}).get("Status")
            over = f"exited {state['ExitCode']}" if state["Status"] == "exited" else None
            service = one["Config"]["Labels"]["com.docker.compose.service"]
            found.setdefault(service, []).append(over or health or state["Status"])
        return found

    def left(self) -> list[str]:
        """Containers, volumes and networks that are there."""
        label = ("--filter", f"label=com.docker.compose.project={PROJECT}", "-q")
        kinds = (["ps", "-a"], ["volume", "ls"], ["network", "ls"])
        return [one for kind in kinds for one in self.ask(*kind, *label).split()]

    def password(self) -> str:
        """The administrator's, as the composition's first lines say how to get it."""
        command = [*self.command, "exec", "-T", "api-server", "cat", "/secrets/passwords.json"]
        done = subprocess.run(command, cwd=CHECKOUT, env=self.environment, capture_output=True, text=True, check=True)
        return str(json.loads(done.stdout)["admin"])

    def _does(self, *arguments: str) -> bool:
        return not subprocess.run([self.engine, *arguments], capture_output=True).returncode


def _is_ready(depends_on: dict[str, dict[str, str]], states: dict[str, list[str]]) -> bool:
    """Whether what a service depends on is as it says."""
    wanted = {"service_healthy": ["healthy"], "service_completed_successfully": ["exited 0"]}
    return all(states.get(name) == wanted[how["condition"]] for name, how in depends_on.items())


def until_healthy(compose: Compose, painters: int) -> None:
    """Wait until every health check is green. Exits with what is not, if that takes too long."""
    deadline, last = time.monotonic() + SECONDS, ""
    while True:
        found = compose.containers()
        wanted = {name: ["exited 0"] for name in ONCE} | {name: ["healthy"] for name in LASTING}
        wanted["worker-filter"] = ["healthy"] * painters
        waiting = {name: found.get(name, []) for name, states in wanted.items() if found.get(name) != states}
        if not waiting:
            return
        said = ", ".join(f"{name} {'/'.join(states) or 'absent'}" for name, states in sorted(waiting.items()))
        if said != last:
            print(f"  waiting for {said}", flush=True)
        last = said
        if time.monotonic() > deadline:
            sys.exit(f"Not healthy after {SECONDS} s: {said}")
        time.sleep(2)


def paint(compose: Compose, url: str, folder: Path) -> None:
    """Have a video painted as a user does, and compare its times and its sound."""
    source, result = make_video(folder / "source.mp4", frames=200, size="320x180"), folder / "painted.mp4"
    command = [sys.executable, "-m", "rotoscope", "submit", str(source), "--filter", "sea-mist", "-o", str(result)]
    known = {"ROTOSCOPE_SERVER": url, "ROTOSCOPE_USER": "admin", "ROTOSCOPE_PASSWORD": compose.password()}
    subprocess.run(command, env={**os.environ, **known}, check=True)
    if timestamps(result) != timestamps(source) or sound_hash(result) != sound_hash(source):
        sys.exit("The painted video has other times or another sound than the source.")


def spread(compose: Compose, url: str) -> None:
    """Have the video painted in many chunks, and see that each task ran in its pool, on a worker of its queue."""
    http, login = requests.Session(), {"username": "admin", "password": compose.password()}
    token = http.post(f"{url}/auth/token", json=login, timeout=60).json()["access_token"]
    http.headers["Authorization"] = f"Bearer {token}"
    runs = f"{url}/api/v2/dags/rotoscope/dagRuns"
    source = http.get(runs, timeout=60).json()["dag_runs"][0]["conf"]["source"]
    conf = {"source": source, "filter": "lava-glow", "chunk_frames": 10}
    run_id = http.post(runs, json={"logical_date": None, "conf": conf}, timeout=60).json()["dag_run_id"]
    while (state := http.get(f"{runs}/{run_id}", timeout=60).json()["state"]) not in ("success", "failed"):
        time.sleep(1)
    tasks = http.get(f"{runs}/{run_id}/taskInstances", params={"limit": 100}, timeout=60).json()["task_instances"]
    places = {(one["task_id"], one["queue"], one["pool"]) for one in tasks if one["task_id"] != "clean_up"}
    painters = {one["hostname"] for one in tasks if one["task_id"] == "filter"}
    print(f"  {state}: {len(tasks)} tasks, painted on {len(painters)} workers", flush=True)
    if state != "success" or places != {(name, name, name) for name in ("split", "filter", "assemble")}:
        sys.exit(f"The run ended as {state}, its tasks in {sorted(places)}.")
    if len(painters) != 2:
        sys.exit(f"Two workers paint, and the chunks were painted on {sorted(painters)}.")


def main() -> None:
    """Do it all, and leave nothing behind."""
    names = ("AIRFLOW_PORT", "ALGORITHMIA_PORT", "S3_PORT")
    ports = {name: str(free_port()) for name in names}
    compose = Compose({**ports, "PUBLIC_S3_URL": f"http://localhost:{ports['S3_PORT']}"})
    url = f"http://127.0.0.1:{ports['AIRFLOW_PORT']}"
    compose.build()
    try:
        with tempfile.TemporaryDirectory() as folder:
            began = time.monotonic()
            compose.up()
            until_healthy(compose, painters=1)
            print(f"Everything is healthy after {time.monotonic() - began:.0f} s", flush=True)
            paint(compose, url, Path(folder))
            compose.scale("worker-filter", 2)
            until_healthy(compose, painters=2)
            spread(compose, url)
    finally:
        compose.down()
    if left := compose.left():
        sys.exit(f"These are left: {', '.join(left)}")
    print("The whole composition came up, painted, was scaled and went down with nothing left.")


if __name__ == "__main__":
    main()
