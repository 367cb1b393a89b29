"""`python -m algorithmia_server`: run the server."""

import json
import os
import re
import signal
import sys
import tempfile
from pathlib import Path

import click
import uvicorn

from algorithmia_server.settings import PREFIX

USER = "me"
NAME = re.compile(r"[\w-]+")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8090, show_default=True, help="Port to listen on.")
@click.option(
    "--key",
    "keys",
    multiple=True,
    required=True,
    envvar="ALGORITHMIA_API_KEY",
    metavar="[USER=]KEY",
    help="A user's key; once for each, or with spaces between in the variable ALGORITHMIA_API_KEY.",
)
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder for files.")
@click.option("--workers", default=1, show_default=True, help="Processes behind the one address.")
@click.option("--calls-at-once", default=80, show_default=True, help="Calls of one user at once.")
@click.option(
    "--connect",
    "connectors",
    multiple=True,
    metavar="NAME=WHERE",
    help="A connector: file=FOLDER, or s3+ALIAS=URL with the credentials of the AWS environment.",
)
@click.option(
    "--map", "names", multiple=True, metavar="NAME=FILTER", help="Another name for a filter, such as a stock one."
)
def main(
    host: str,
    port: int,
    keys: tuple[str, ...],
    data: Path,
    workers: int,
    calls_at_once: int,
    connectors: tuple[str, ...],
    names: tuple[str, ...],
) -> None:
    """Serve algorithms and files over Algorithmia's protocol."""
    data.mkdir(parents=True, exist_ok=True)
    threads = max(1, len(os.sched_getaffinity(0)) // workers)
    values = {
        "keys": json.dumps(_users(keys)),
        "data": str(data.resolve()),
        "threads": str(threads),
        "calls_at_once": str(calls_at_once),
        "connectors": json.dumps(dict(_pair(one, "--connect") for one in connectors)),
        "filter_names": json.dumps(dict(_pair(one, "--map") for one in names)),
    }
    # Processes of their own are handed their settings by the environment, like those that a container starts.
    os.environ.update({f"{PREFIX}{name.upper()}": value for name, value in values.items()})
    # uvicorn raises the signal that ended it once more, which without a handler would leave the folder behind.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        app = "algorithmia_server.app:create_app"
        uvicorn.run(app, factory=True, host=host, port=port, workers=workers, log_level="warning")


def _users(keys: tuple[str, ...]) -> dict[str, str]:
    """The key of each user."""
    found: dict[str, str] = {}
    for key in keys:
        user, equals, secret = key.partition("=")
        if not equals:
            user, secret = USER, key
        if not NAME.fullmatch(user) or not secret.strip("= ") or user in found:
            said = "a key is KEY or USER=KEY, neither of them empty, one for each user."
            raise click.BadParameter(said, param_hint="--key")
        found[user] = secret
    return found


def _pair(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        raise click.BadParameter(f"{text!r} is not NAME=VALUE", param_hint=option)
    return name, value


if __name__ == "__main__":
    main()
