"""The command `rotoscope`: paint videos in this process, without Airflow, or have a server paint them."""

import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import click

from rotoscope import __version__, commands, formats, reference, training
from rotoscope.errors import Refused, RotoscopeError
from rotoscope.fields import Find
from rotoscope.filters import catalogue
from rotoscope.filters.catalogue import Filter
from rotoscope.media.timing import clock
from rotoscope.painting import Report
from rotoscope.request import DEFAULT_FILTER, Request
from rotoscope.sheet import PAGE, SheetRequest
from rotoscope.store import keys
from rotoscope.store.filters import at_hand, finder
from rotoscope.store.filters import made as filters_made
from rotoscope.store.folder import FolderStore
from rotoscope.style import filter_of, read_picture
from rotoscope.training.recipe import TrainRequest

STORE = click.option(
    "--store",
    default="store",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder where filters that were made are kept.",
)


def _training_option(field: str, text: str) -> Callable[[Any], Any]:
    """An option for a field of a training's request, with the default that it has there."""
    default = TrainRequest.model_fields[field].default
    return click.option(f"--{field.replace('_', '-')}", default=default, show_default=True, help=text)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
def cli() -> None:
    """Paint a video with a machine-learned texture, sound and timing untouched.

    Here: probe, paint, sheet, train. On a server: submit, list, watch, cancel, and filters and sheet with --server.
    """


for command in commands.COMMANDS:
    cli.add_command(command)
SERVER = click.option("--server", envvar="ROTOSCOPE_SERVER", help="Ask this server and not this machine.")


@cli.command()
@click.argument("file")
def probe(file: str) -> None:
    """Print what FILE is, as JSON: streams, timing, frames, SHA-256, and how it would be cut."""
    request = Request.parse({"source": _readable(file)})
    with tempfile.TemporaryDirectory() as folder:
        source, _ = reference.open_request(request, Path(folder))
    click.echo(source.video.model_dump_json(indent=2))


@cli.command()
@click.option("--tag", type=click.Choice(list(catalogue.TAGS)), help="Only those with this tag.")
@STORE
@SERVER
@commands.as_json
def filters(tag: str | None, store: Path, server: str | None, as_json: bool) -> None:
    """List the filters, each with a sentence on what it looks like and its tags."""
    if server:
        found = list(commands.client_of(server).every("/filters", 10_000, tag=tag))
    else:
        there = [*catalogue.catalogue().values(), *filters_made(FolderStore(store))]
        found = [one.model_dump(mode="json") for one in there if tag is None or tag in one.tags]
    if as_json:
        click.echo(json.dumps(found))
        return
    width = max((len(one["name"]) for one in found), default=0)
    for one in found:
        tags = " ".join(f"#{word}" for word in one["tags"])
        click.echo(f"{one['name']:{width}}  {one['sentence']} {tags}".rstrip())


@cli.command()
@click.argument("source", metavar="IN")
@click.option(
    "-o", "--output", metavar="OUT", required=True, type=click.Path(path_type=Path), help="The painted video."
)
@click.option("--filter", show_default=DEFAULT_FILTER, help="A name that `filters` lists.")
@click.option("--style", metavar="PICTURE", help="A picture to paint in the style of, in the place of a filter.")
@STORE
@click.option("--blend", multiple=True, metavar="NAME[:WEIGHT]", help="A filter blended in, beside the filter's 1.")
@click.option("--then", multiple=True, metavar="NAME[:STRENGTH]", help="A further filter over it; once for each.")
@click.option("--fade-to", multiple=True, metavar="NAME[:STRENGTH]", help="A filter that takes over; once for each.")
@click.option("--fade-start", help="When it begins to: seconds, m:ss or h:mm:ss; from the beginning if left out.")
@click.option("--fade-end", help="When it is all there is; at the end if left out.")
@click.option("--strength", default=1.0, show_default=True, help="From 0, the video as it is, to 1, all paint.")
@click.option("--scale", default=1.0, show_default=True, help="Of the texture: 2 for strokes twice as large, and fast.")
@click.option("--keep-colours", is_flag=True, help="Take only light and texture from the filter.")
@click.option(
    "--mask", help="Paint only where this picture or video is white, or in a box: LEFT,TOP,WIDTH,HEIGHT in %."
)
@click.option("--mask-feather", default=0.0, show_default=True, help="Width of its soft edge, in % of the frame.")
@click.option("--mask-invert", is_flag=True, help="Paint where it is black.")
@click.option(
    "--steady",
    default=0.0,
    show_default=True,
    help="From 0 to 1, how far paint moves with what it is on; with --key-frames, how exactly.",
)
@click.option(
    "--key-frames", is_flag=True, help="Paint few frames and carry their paint to the others: fast and steady."
)
@click.option("--half", is_flag=True, help="Half precision: faster where the processor or the GPU has it.")
@click.option("--start", help="Where to begin: seconds, m:ss or h:mm:ss.")
@click.option("--end", help="Where to end, the same way.")
@click.option("--size", default="source", show_default=True, help="Shorter side of the result: 1080p, 720p, 360p, ...")
@click.option("--fps", type=float, help="Frames a second; the video's own timing if left out.")
@click.option("--deinterlace", is_flag=True, help="Make whole frames of an old camera's half pictures first.")
@click.option("--quality", type=int, help="On the encoder's own scale; CRF for most formats, smaller is better.")
@click.option("--speed", help="The encoder's preset, such as slow, or a number for WebM and AV1.")
@click.option("--pixel-format", help="Such as yuv420p10le for ten bits.")
@click.option("--format", help="Output format; by the ending of OUT if left out.")
@click.option(
    "--threads", type=click.IntRange(1), default=os.cpu_count() or 1, show_default=True, help="For the filter."
)
def paint(
    source: str, output: Path, threads: int, filter: str | None, style: str | None, store: Path, **fields: Any
) -> None:
    """Paint the video IN into the file OUT in one process."""
    find = finder(FolderStore(store))
    fields["filter"] = DEFAULT_FILTER if filter is None else filter
    if style is not None:
        if filter is not None:
            raise Refused("Give --filter or --style, not both.")
        made = filter_of(*read_picture(Path(_readable(style)), style), "style")
        fields["filter"] = made.reference
        find = partial(_found, made, find)
    fields["format"] = fields["format"] or formats.of_file(output).name
    request = Request.parse({"source": _readable(source), **fields}, find)
    _readable(str(output))
    start = time.monotonic()
    with at_hand(request, FolderStore(store)) as ready:
        video, notices = reference.paint(ready, output, threads, _progress(start))
    seconds = time.monotonic() - start
    for notice in notices:
        click.echo(f"note: {notice}", err=True)
    click.echo(f"{output}: {video.frames} frames in {clock(seconds)}, {video.frames / seconds:.2f} frames/s", err=True)


@cli.command()
@click.option("--style", "styles", multiple=True, required=True, metavar="PICTURE", help="A painting; once for each.")
@click.option("--content", multiple=True, required=True, help="A picture, a folder of them or a video to learn from.")
@click.option("--name", required=True, help="Of the new filter: small letters, digits, hyphens between words.")
@click.option("--sentence", default="", help="What it looks like.")
@_training_option("steps", "How long to train.")
@_training_option("style_weight", "More is more paint and less of the photo.")
@_training_option("steadiness", "More flickers less.")
@_training_option("style_pixels", "Longer side of the paintings; less is finer.")
@_training_option("crop", "Side of the parts of photos it learns from.")
@_training_option("channels", "The network's width; more is slower.")
@_training_option("seed", "Of chance.")
@click.option("--vgg", default="", metavar="FILE", help="VGG16's weights, .pth or .npz; torchvision's if left out.")
@STORE
def train(store: Path, styles: tuple[str, ...], content: tuple[str, ...], **fields: Any) -> None:
    """Train a filter on paintings and keep it in a store. Asked again, it goes on where it stopped."""
    request = TrainRequest.parse({"styles": list(styles), "content": list(content), **fields})
    steps, kept = training.steps(), FolderStore(store)
    run = f"command-{uuid4().hex}"
    try:
        digest = steps.prepare(request, kept, run)
        steps.train(request, kept, run, digest, _progress(time.monotonic(), "steps"))
        made = steps.evaluate(request, kept, run, digest, os.cpu_count() or 1)
        published = steps.publish(request, kept, run, digest)
    finally:
        kept.delete(keys.run(run))
    click.echo(f"{published['filter']}: {kept.address(made['sheet'])} shows it", err=True)


@cli.command()
@click.argument("source", metavar="IN")
@click.option(
    "-o",
    "--output",
    metavar="FOLDER",
    required=True,
    type=click.Path(path_type=Path),
    help="For the page; a new one. From a server the one picture comes, into this file.",
)
@click.option("--filter", "filters", multiple=True, help="A name that `filters` lists; once for each, or all of them.")
@click.option("--tag", help="All filters with this tag, such as bold or subtle.")
@click.option("--at", multiple=True, help="A time: seconds, m:ss or h:mm:ss; once for each. Or first, middle and last.")
@click.option("--scenes", is_flag=True, help="A frame of each scene.")
@click.option("--size", default="360p", show_default=True, help="Shorter side of the pictures: source, 720p, ...")
@click.option("--strength", default=1.0, show_default=True, help="From 0, the video as it is, to 1, all paint.")
@click.option("--keep-colours", is_flag=True, help="Take only light and texture from the filter.")
@click.option(
    "--threads", type=click.IntRange(1), default=os.cpu_count() or 1, show_default=True, help="For the filter."
)
@STORE
@SERVER
def sheet(
    source: str,
    output: Path,
    threads: int,
    store: Path,
    filters: tuple[str, ...],
    at: tuple[str, ...],
    server: str | None,
    **how: Any,
) -> None:
    """Show frames of the video IN under all filters: a page, its pictures, and one labelled picture, in a FOLDER."""
    if server:
        commands.server_sheet(server, Path(source), output, {"filters": list(filters), "at": list(at), **how})
        return
    kept = FolderStore(store)
    fields = {"source": _readable(source), "filters": list(filters), "at": list(at), **how}
    request = SheetRequest.parse(fields, finder(kept))
    if not output.parent.is_dir() or output.exists():
        raise Refused(f"{output} is to be a new folder in one that exists; choose another name.")
    start = time.monotonic()
    with at_hand(request, kept) as ready:
        reference.contact_sheet(ready, output, threads, _progress(start))
    click.echo(f"{output / PAGE}: {len(request.names)} filters in {clock(time.monotonic() - start)}", err=True)


def _found(made: Filter, find: Find, name: str) -> Filter:
    """A filter that was just made, by its reference, and any other by its name."""
    return made if name == made.reference else find(name)


def _progress(start: float, what: str = "frames") -> Report:
    """On a terminal, one line that is written over; elsewhere nothing."""

    def report(done: int, total: int) -> None:
        rate = done / (time.monotonic() - start)
        to_go = clock((total - done) / rate)
        end = "\r\033[K" if done == total else ""
        click.echo(f"\r\033[K{done} of {total} {what}, {rate:.1f} {what}/s, {to_go} to go{end}", err=True, nl=False)

    return report if sys.stderr.isatty() else lambda done, total: None


def _readable(name: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise Refused(f"{name!a} is not a name in UTF-8; rename the file.") from None
    return name


def main() -> None:
    """Run a command; a refusal is one sentence on standard error and exit code 2, a failure the same with 1."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that nothing is left half-written
    try:
        cli(prog_name="rotoscope", standalone_mode=False)
    except click.ClickException as error:
        click.echo(f"{error.format_message()} See --help.", err=True)
        sys.exit(2)
    except click.Abort:
        sys.exit(128 + signal.SIGINT)
    except RotoscopeError as error:
        click.echo(str(error), err=True)
        sys.exit(2 if isinstance(error, Refused) else 1)
    except OSError as error:
        click.echo(f"{error.filename or 'The machine'}: {error.strerror}.", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
