"""The reference: the best single-process `decode | filter | encode` pipeline, over the same code as the DAG's tasks.

Useful by itself, and the yardstick for equality and speed.
"""

import tempfile
from pathlib import Path

from rotoscope import formats
from rotoscope.errors import Refused
from rotoscope.media.deliver import deliver, notices
from rotoscope.media.probe import probe
from rotoscope.media.track import Track
from rotoscope.media.verify import verify
from rotoscope.media.video import Video
from rotoscope.painting import Report, Workshop, show
from rotoscope.plan import timeline_of
from rotoscope.request import Request


def paint(request: Request, output: Path, threads: int, report: Report) -> tuple[Video, list[str]]:
    """Paint the request's video into the file `output`, which appears when it is finished and verified.

    Gives what was made, and a notice for each thing of the source that it does not hold as it was.

    threads: for the filter, in all. Raises Refused for what cannot be used, Mismatch if frames went wrong.
    """
    output = output.resolve()
    if not output.parent.is_dir():
        raise Refused(f"There is no folder {output.parent}; make it first, or write somewhere else.")
    source = request.source_path
    video, _ = probe(source)
    if output.exists() and not output.is_file():
        raise Refused(f"{output} is not a file that can be written over; choose another name.")
    if output.exists() and output.samefile(source):
        raise Refused(f"{output} is the source itself, which is never written over; choose another name.")
    timeline = timeline_of(request, video)
    target = formats.get(request.format)
    workshop = Workshop.open(request, video, threads)
    frames = timeline.frames
    pts = video.pts[frames[0] : frames[-1] + 1]
    with tempfile.TemporaryDirectory(prefix=".painting-", dir=output.parent) as folder:
        made = Path(folder) / output.name
        with deliver(made, source, video, target, workshop.picture, timeline) as timed:
            painted = workshop.frames(Track.of(video, source), pts, frames[0], frames)
            show(timeline, painted, timed, report)
        result = verify(made, source, video, timeline)
        made.replace(output)
    return result, notices(video, target)
