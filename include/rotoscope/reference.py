"""The reference: the best single-process `decode | filter | encode` pipeline, over the same code as the DAG's tasks.

Useful by itself, and the yardstick for equality and speed.
"""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from rotoscope import fetch
from rotoscope.engines import Painter
from rotoscope.errors import Mismatch, Refused
from rotoscope.masking import where_of
from rotoscope.masks import Where, read_mask
from rotoscope.media.deliver import deliver
from rotoscope.media.output import Output
from rotoscope.media.packets import Packets
from rotoscope.media.passage import notices
from rotoscope.media.source import Source, open_source
from rotoscope.media.verify import Made, verify
from rotoscope.media.video import Video
from rotoscope.painting import Report, Workshop, encoder, show
from rotoscope.places import check_target, file_at
from rotoscope.plan import output_of
from rotoscope.request import Request
from rotoscope.sheet import SheetRequest, paint_sheet


def paint(
    request: Request, target: Path, threads: int, report: Report, painter: Painter | None = None
) -> tuple[Made, list[str]]:
    """Paint the request's video into the file `target`, which appears when it is finished and verified.

    Gives what was made, and a notice for each thing of the source that it does not hold as it was.

    threads: for the filter, in all; painter: paints in the filter's place. Raises Refused for what cannot be used,
    Mismatch if frames went wrong.
    """
    target = target.resolve()
    check_target(target)
    with tempfile.TemporaryDirectory(prefix=".painting-", dir=target.parent) as folder:
        source, _ = open_request(request, Path(folder))
        if target.exists() and source.file.samefile(target):
            raise Refused(f"{target} is the source itself, which is never written over; choose another name.")
        painted, made = Path(folder) / "painted.nut", Path(folder) / target.name
        output = output_of(request, source.video)
        where = _where(request, source.video, output.timeline.frames, Path(folder))
        workshop = Workshop.open(request, source.video, threads, painter, where)
        damage = _paint(request, source, output, painted, workshop, report)
        deliver(made, [painted], source, output, lambda frames: None)
        result = verify(made, source, output)
        made.replace(target)
    return result, [*notices(source.video, output.target, output.stored, request.deinterlace), *damage]


def contact_sheet(request: SheetRequest, folder: Path, threads: int, report: Report) -> None:
    """Paint a contact sheet into a new folder, whose page shows from the first picture on what there is.

    Raises Refused for what cannot be used; then there is no folder.
    """
    with tempfile.TemporaryDirectory(prefix=".sheet-", dir=folder.parent) as scratch:
        source, packets = open_request(Request.parse({"source": request.source}), Path(scratch))
        indices = request.frames(source)
        total = (len(request.names) + 1) * len(indices)
        folder.mkdir()
        try:
            for done, _ in enumerate(paint_sheet(request, source, packets, indices, folder, Path(scratch), threads), 1):
                report(min(done, total), total)
        except BaseException:
            shutil.rmtree(folder)
            raise


def open_request(request: Request, folder: Path) -> tuple[Source, Packets]:
    """The source of a request, fetched into a folder if it is a URL, and the packets of its pictures.

    Raises Refused if it cannot be used.
    """
    url = request.source_url
    if url is None:
        return open_source(request.source_path, folder)
    if not url.lower().startswith("http"):
        raise Refused(f"{url} is reached by the DAG only, with Airflow's connections; give a URL or a file.")
    copy = folder / "source"
    sha256 = fetch.fetch(url, copy)
    return open_source(copy, folder, lambda: sha256, fetch.name_of(url))


def _where(request: Request, video: Video, frames: list[int], folder: Path) -> Where | None:
    """Where these ascending frames are painted."""
    file, scratch = None, folder / "mask-scratch"
    if request.mask and not request.mask_box:
        scratch.mkdir()
        file = read_mask(*file_at(request.mask, scratch, fetch.fetch), video, scratch)
    return where_of(request, video, file, range(frames[0], frames[-1] + 1), scratch)


def _paint(
    request: Request, source: Source, output: Output, painted: Path, workshop: Workshop, report: Report
) -> list[str]:
    """Write the painted frames; gives a notice of damage if the decoder spoke of any."""
    video = source.video
    frames, damage = output.timeline.frames, []
    pts = video.pts[frames[0] : frames[-1] + 1]
    track = replace(source.track, deinterlace=request.deinterlace)
    said = workshop.frames(track, pts, frames[0], frames, lambda log: damage.append(f"The source is damaged: {log}"))
    try:
        with encoder(painted, workshop.picture, output, video) as timed:
            for done in show(output.timeline.shown, ((index, frame) for index, _, frame in said), timed):
                report(done, len(frames))
    except Mismatch as mismatch:
        raise Refused(f"{video.name} is damaged: {mismatch} Give another copy of it.") from None
    return damage
