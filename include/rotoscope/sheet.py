"""Contact sheet: some frames of a video under many filters, to choose one by eye."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from rotoscope.borders import scene_cuts
from rotoscope.errors import Refused
from rotoscope.fields import DOCUMENTS, Find, Time, seconds_of, validated
from rotoscope.filters import catalogue
from rotoscope.filters.catalogue import TAGS
from rotoscope.media.packets import Packets
from rotoscope.media.pick import pick
from rotoscope.media.pictures import save
from rotoscope.media.pixels import RGB
from rotoscope.media.source import Source
from rotoscope.media.timing import clock
from rotoscope.media.track import Frame, Picture
from rotoscope.media.video import Video
from rotoscope.painting import Workshop
from rotoscope.request import Request, Size

PAGE, SHEET = "index.html", "sheet.jpg"
SOURCE = "source"
"""Names the row of unpainted frames."""
MOST_FRAMES = 12
THUMBNAIL, LABEL, GAP = 240, 24, 8
"""Pixels: width of a picture on the sheet, height of its label, space between pictures."""
WIDEST = 1600
"""Pixels of the sheet, unless one row of frames is wider."""
JPEG_QUALITY = 88


def _without_blanks(lines: Any) -> Any:
    return [one for one in lines if one != "" and not str(one).isspace()] if isinstance(lines, list) else lines


class SheetRequest(BaseModel):
    """Which frames of a video shall be shown under which filters. `SheetRequest.parse` refuses bad values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field(
        title="Video",
        description="Path of the video file, as the machine that runs the tasks sees it, or its URL (http, s3, data).",
    )
    filters: list[str] = Field(
        default=[], title="Filters", description="Which to show; empty for all that paint on this machine."
    )
    tag: str | None = Field(
        default=None, title="Tag", description=f"Only those with this tag, if no filter is named: {', '.join(TAGS)}."
    )
    at: Annotated[list[Time], BeforeValidator(_without_blanks)] = Field(
        default=[],
        max_length=MOST_FRAMES,
        title="Frames at",
        description="Times, a line each, as seconds, m:ss or h:mm:ss; empty for the first, middle and last frame.",
    )
    scenes: bool = Field(
        default=False,
        title="A frame of each scene",
        description="In place of times; takes the time of decoding the video once.",
    )
    size: Size = Field(default="360p", title="Size", description="The shorter side of the pictures; never enlarged.")
    strength: float = Field(
        default=1.0, ge=0, le=1, title="Strength", description="From 0, the video as it is, to 1, all paint."
    )
    keep_colours: bool = Field(
        default=False, title="Keep colours", description="Take only light and texture from the filter."
    )

    documents: tuple[catalogue.Filter, ...] = Field(
        default=(), description="Those of its filters that are not built in; `parse` finds them."
    )

    @classmethod
    def parse(cls, fields: dict[str, Any], find: Find = catalogue.get) -> Self:
        """The request in these fields. Raises Refused with one sentence for each bad value."""
        request = validated(cls, fields)
        find = cache(find)  # the store is asked for each of them once
        for name in request.filters:
            if find(name).remote:
                raise Refused(f"{name} paints elsewhere; a contact sheet shows filters that paint on this machine.")
        named = [Request.parse({"source": request.source, "filter": name}, find) for name in request.names]
        documents = tuple(document for one in named for document in one.documents)
        request = request.model_copy(update={"filters": [one.filter for one in named], DOCUMENTS: documents})
        if request.scenes and request.at:
            raise Refused("Frames cannot be chosen by times and by scenes at once; leave out at, or scenes.")
        return request

    @property
    def names(self) -> list[str]:
        """The filters to show, each once."""
        return list(dict.fromkeys(self.filters)) or catalogue.here(self.tag or None)

    def most_pictures(self, video: Video) -> int:
        """How many pictures are painted at most: of three frames, unless the request says which."""
        return len(self.names) * min(MOST_FRAMES if self.scenes else len(self.at) or 3, video.frames)

    def request(self, filter: str, video: Video) -> Request:
        """What paints these frames with one filter."""
        size = self.size
        if size != "source" and min(video.upright_size) <= int(size[:-1]):
            size = "source"
        how = {"strength": self.strength, "keep_colours": self.keep_colours, "pixel_format": "yuv420p"}
        return Request.parse({"source": self.source, "filter": filter, "size": size, **how}, self.find)

    def find(self, name: str) -> catalogue.Filter:
        """The filter of one of its names."""
        return catalogue.get(name, self.documents)

    def frames(self, source: Source) -> list[int]:
        """Indices of the frames to show. Raises Refused for a time after the video's end."""
        video = source.video
        if self.scenes:
            return _of_scenes([bisect_left(video.pts, pts) for pts in scene_cuts(source.track)], video.frames)
        return self.frames_at(video) or sorted({0, video.frames // 2, video.frames - 1})

    def frames_at(self, video: Video) -> list[int]:
        """Indices of the frames at the times that are named. Raises Refused for a time after the video's end."""
        return sorted({_frame_at(time, video) for time in self.at})


@dataclass(frozen=True)
class Row:
    """The frames under one filter. name: of the files; pictures: their names."""

    name: str
    title: str
    sentence: str
    pictures: list[str]


def paint_sheet(
    request: SheetRequest,
    source: Source,
    packets: Packets,
    indices: list[int],
    folder: Path,
    scratch: Path,
    threads: int,
) -> Iterator[Path]:
    """Paint a contact sheet of the frames with these indices into a folder; yields each picture as it is there.

    The sheet and the page come last. What was yielded may be moved away; the page shows from the first picture on what
    there is. Raises Refused for what cannot be painted, Mismatch if the source is damaged there.
    """
    video = source.video
    times = [_said(video.pts[index], video) for index in indices]
    size = request.request(request.names[0], video).painted_size(video.upright_size)
    frames = pick(source.track, packets, indices, Picture(RGB, size), scratch)
    height = max(1, round(size[1] * THUMBNAIL / size[0]))
    rows: list[Row] = []
    small: list[Image.Image] = []
    for name in [SOURCE, *request.names]:
        painted = frames if name == SOURCE else _painted(request, name, video, frames, threads)
        rows.append(_row(name, len(frames), request))
        for file, frame in zip(rows[-1].pictures, painted, strict=True):
            save(frame, folder / file)
            small.append(Image.fromarray(frame).resize((THUMBNAIL, height), Image.Resampling.LANCZOS))
            yield folder / file
        (folder / PAGE).write_text(_page(video.name, times, rows), encoding="utf-8")
    _sheet(rows, small).save(folder / SHEET, "JPEG", quality=JPEG_QUALITY)
    yield folder / SHEET
    yield folder / PAGE


def _of_scenes(cuts: list[int], frames: int) -> list[int]:
    """The middle frame of each scene, of so many scenes as may be shown, all over the video."""
    borders = sorted({0, *cuts, frames})
    middles = [(begin + end) // 2 for begin, end in pairwise(borders)]
    return sorted({middles[round(place)] for place in np.linspace(0, len(middles) - 1, MOST_FRAMES)})


def _painted(request: SheetRequest, name: str, video: Video, frames: Sequence[Frame], threads: int) -> list[Frame]:
    workshop = Workshop.open(request.request(name, video), video, threads)
    return [painted for _, _, painted in workshop.painted(enumerate(frames))]


def _row(name: str, frames: int, request: SheetRequest) -> Row:
    pictures = [f"{name}-{number}.jpg" for number in range(1, frames + 1)]
    if name == SOURCE:
        return Row(name, "Source", "The video as it is.", pictures)
    filter = request.find(name)
    return Row(name, filter.title, filter.sentence, pictures)


def _frame_at(time: str, video: Video) -> int:
    """The frame that is shown at a time, counted from the first one."""
    ticks = seconds_of(time) / video.tick + video.pts[0]
    if ticks >= video.pts[-1] + video.last_duration:
        end = video.pts[-1] + video.last_duration
        raise Refused(f"{video.name} ends at {_said(end, video)}; there is no frame at {time}.")
    return bisect_right(video.pts, Fraction(ticks)) - 1


def _said(pts: int, video: Video) -> str:
    """A time of a video, for people, to the hundredth of a second."""
    seconds = float((pts - video.pts[0]) * video.tick)
    return f"{clock(seconds)}.{int(seconds * 100) % 100:02}"


def _page(name: str, times: list[str], rows: list[Row]) -> str:
    from jinja2 import Environment, FileSystemLoader  # slow to import, and painting a video needs none

    templates = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
    return templates.get_template("sheet.html").render(name=name, times=times, rows=rows)


def _sheet(rows: list[Row], small: list[Image.Image]) -> Image.Image:
    """All rows in one picture, in as many columns as fit. small: the pictures of all rows, in their order."""
    frames, height = len(rows[0].pictures), small[0].height
    block = (frames * (THUMBNAIL + GAP) + GAP, LABEL + height + GAP)
    columns = max(1, min(len(rows), WIDEST // block[0]))
    lines = -(-len(rows) // columns)
    sheet = Image.new("RGB", (columns * block[0], lines * block[1] + GAP), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=LABEL * 2 // 3)
    for place, row in enumerate(rows):
        left, top = place % columns * block[0] + GAP, place // columns * block[1] + GAP
        draw.text((left, top), row.name, fill="black", font=font)
        for number, picture in enumerate(small[place * frames : (place + 1) * frames]):
            sheet.paste(picture, (left + number * (THUMBNAIL + GAP), top + LABEL - GAP // 2))
    return sheet
