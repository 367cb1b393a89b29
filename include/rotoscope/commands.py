"""The half of the command that speaks with a server's API."""

import json
import os
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rotoscope import formats
from rotoscope.errors import Refused, RotoscopeError
from rotoscope.filters import catalogue
from rotoscope.media.timing import clock
from rotoscope.places import check_target
from rotoscope.request import DEFAULT_FILTER, Request

if TYPE_CHECKING:
    from rotoscope.client import Client

SERVER = "http://127.0.0.1:8080"
NO_TEXT = (bool, int, float, int | None, float | None, list[str])
"""What fields hold whose values are written as JSON."""


with_server = click.option(
    "--server",
    envvar="ROTOSCOPE_SERVER",
    default=SERVER,
    show_default=True,
    help="Address of the server, also from ROTOSCOPE_SERVER. Who you are: ROTOSCOPE_TOKEN, a partner key or a "
    "token of Airflow, or ROTOSCOPE_USER and ROTOSCOPE_PASSWORD.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def client_of(server: str) -> "Client":
    """A client with what the environment says of the caller. Raises Refused if it says nothing."""
    from rotoscope.client import Client  # its library takes a while to import, and half of the commands ask no server

    token, user = os.environ.get("ROTOSCOPE_TOKEN"), os.environ.get("ROTOSCOPE_USER")
    if token:
        return Client(server, token)
    if user:
        return Client.logged_in(server, user, os.environ.get("ROTOSCOPE_PASSWORD", ""))
    raise Refused(
        "The server wants to know who you are: set ROTOSCOPE_TOKEN to a partner key or a token of Airflow, or "
        "ROTOSCOPE_USER and ROTOSCOPE_PASSWORD."
    )


def _complete_filter(context: click.Context, option: click.Parameter, begun: str) -> list[str]:
    return [name for name in catalogue.catalogue() if name.startswith(begun)]


@click.command()
@click.argument("source", metavar="IN", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--output", metavar="OUT", type=click.Path(path_type=Path), help="Where the painted video goes.")
@click.option("--filter", show_default=DEFAULT_FILTER, shell_complete=_complete_filter, help="Its name.")
@click.option("--preset", help="A named set of options, such as fast or steady.")
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="Any field of a rotoscope; once for each, also of a list.",
)
@click.option("--detach", is_flag=True, help="Do not wait; print the rotoscope's id.")
@with_server
@as_json
def submit(
    source: Path,
    output: Path | None,
    filter: str | None,
    preset: str | None,
    options: tuple[str, ...],
    detach: bool,
    server: str,
    as_json: bool,
) -> None:
    """Have a server paint the video IN: send it, watch, and bring the result to OUT, in the format of its ending."""
    if output is None and not detach:
        raise Refused("Say with -o where the painted video shall go, or --detach to bring it later.")
    body: dict[str, Any] = {}
    for name, value in map(_option, options):
        body[name] = [*body.get(name, []), *value] if isinstance(value, list) else value
    for name, value in (("filter", filter), ("preset", preset)):
        if value is not None and body.setdefault(name, value) != value:
            raise Refused(f"The {name} is {value} and {body[name]} at once; leave out one of them.")
    if output is not None:
        check_target(output)
        body["format"] = body.get("format") or formats.of_file(output).name
    client = client_of(server)
    begun = time.monotonic()
    video = client.upload(source, lambda done, size: _line(f"{done / size:4.0%} sent", done == size, as_json))
    made = client.post("/rotoscopes", {"video": video["id"], **body}, **{"Idempotency-Key": uuid.uuid4().hex})
    if detach:
        click.echo(json.dumps(made) if as_json else made["id"])
        return
    end = _watched(client, made["id"], as_json)
    assert output is not None
    client.download(f"/rotoscopes/{made['id']}/result", output)
    seconds = time.monotonic() - begun
    if as_json:
        click.echo(json.dumps({**end, "output": str(output)}))
    else:
        click.echo(f"{output}: {source.name}, painted in {clock(seconds)}", err=True)


@click.command("list")
@click.option("--state", help="Only those that are queued, running, succeeded, failed or cancelled.")
@click.option("--filter", help="Only those with this filter.", shell_complete=_complete_filter)
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="At most so many.")
@with_server
@as_json
def list_rotoscopes(state: str | None, filter: str | None, limit: int, server: str, as_json: bool) -> None:
    """List a server's rotoscopes, the newest first."""
    found = list(client_of(server).every("/rotoscopes", limit, state=state, filter=filter))
    if as_json:
        click.echo(json.dumps(found))
        return
    for one in found:
        click.echo(f"{one['created_at'][:19]}  {one['state']:10}  {one['filter']:20}  {one['id']}")


@click.command()
@click.argument("rotoscope_id", metavar="ID")
@click.option(
    "-o", "--output", metavar="OUT", type=click.Path(path_type=Path), help="Bring the result here at the end."
)
@with_server
@as_json
def watch(rotoscope_id: str, output: Path | None, server: str, as_json: bool) -> None:
    """Watch a rotoscope until it is over."""
    client = client_of(server)
    end = _watched(client, rotoscope_id, as_json)
    if output is not None:
        client.download(f"/rotoscopes/{rotoscope_id}/result", output)
    click.echo(json.dumps(end) if as_json else f"{rotoscope_id} succeeded", err=not as_json)


@click.command()
@click.argument("rotoscope_id", metavar="ID")
@with_server
@as_json
def cancel(rotoscope_id: str, server: str, as_json: bool) -> None:
    """Stop a rotoscope. What it painted is kept for the next time."""
    found = client_of(server).post(f"/rotoscopes/{rotoscope_id}/cancellation")
    click.echo(json.dumps(found) if as_json else f"{rotoscope_id} is {found['state']}", err=not as_json)


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what lets a SHELL complete this command: eval "$(rotoscope completion bash)"."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(context.find_root().command, {}, "rotoscope", "_ROTOSCOPE_COMPLETE").source())


def server_sheet(server: str, source: Path, output: Path, body: dict[str, Any]) -> None:
    """Have a server make a contact sheet of a video; brings its one picture to a file."""
    check_target(output, "sheet.jpg")
    if output.suffix.lower() not in (".jpg", ".jpeg"):
        raise Refused(f"A server gives a contact sheet as one JPEG; call it {output.with_suffix('.jpg')}.")
    client = client_of(server)
    video = client.upload(source, lambda done, size: _line(f"{done / size:4.0%} sent", done == size, False))
    made = client.post("/contact-sheets", {"video": video["id"], **body}, Prefer="wait=60")
    while made["state"] in ("queued", "running"):
        time.sleep(1)
        made = client.get(f"/contact-sheets/{made['id']}")
    if made["state"] == "failed":
        raise Refused(made["failure"] or "The contact sheet failed.")
    client.download(f"/contact-sheets/{made['id']}/picture", output)


def _watched(client: "Client", rotoscope_id: str, quiet: bool) -> dict[str, Any]:
    """A rotoscope when it has succeeded. Raises RotoscopeError if it has not."""
    end: dict[str, Any] = {}
    try:
        for end in client.events(rotoscope_id):
            _line(_said(end), False, quiet)
    except KeyboardInterrupt:
        _line("", True, quiet)
        click.echo(f"It goes on without you: rotoscope watch {rotoscope_id}", err=True)
        raise
    _line("", True, quiet)
    if end.get("state") != "succeeded":
        raise RotoscopeError(end.get("failure") or f"{rotoscope_id} is {end.get('state')}.")
    return end


def _said(found: dict[str, Any]) -> str:
    progress = found.get("progress")
    if not progress or not progress["frames"]:
        return found["state"] if not progress else "splitting"
    left = f", {clock(progress['seconds_left'])} to go" if progress["seconds_left"] else ""
    rate = f", {progress['frames_per_second']:.1f} frames/s" if progress["frames_per_second"] else ""
    bar = ("#" * round(progress["share"] * 20)).ljust(20, ".")
    return f"[{bar}] {progress['frames_painted']} of {progress['frames']} frames{rate}{left}"


def _line(text: str, is_last: bool, quiet: bool) -> None:
    """On a terminal, one line that is written over; elsewhere nothing."""
    if sys.stderr.isatty() and not quiet:
        click.echo(f"\r\033[K{'' if is_last else text}", err=True, nl=False)


def _option(text: str) -> tuple[str, Any]:
    """NAME=VALUE as both; the value of a field that is no text is JSON."""
    name, equals, value = text.partition("=")
    if not equals:
        raise Refused(f"{text!r} is no option; write NAME=VALUE, such as size=720p.")
    field = Request.model_fields.get(name)
    if field is None or field.annotation not in NO_TEXT:
        return name, value  # the server knows what it is, or says that it is nothing
    if field.annotation == list[str] and not value.startswith("["):
        return name, [value]
    try:
        return name, json.loads(value, parse_constant=_no_number)
    except ValueError:
        kinds: dict[Any, str] = {list[str]: 'a list, such as ["oil", "sea-mist:0.5"]', bool: "true or false"}
        raise Refused(f"{name} is {value!r}, but it should be {kinds.get(field.annotation, 'a number')}.") from None


def _no_number(text: str) -> Any:
    """JSON has no NaN and no Infinity, though Python's parser takes them."""
    raise ValueError(text)


COMMANDS = (submit, list_rotoscopes, watch, cancel, completion)
