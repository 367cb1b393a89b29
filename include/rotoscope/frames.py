"""Frame sets: frames of a video as pictures, to be looked at, painted, and put together again."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from rotoscope.errors import Refused
from rotoscope.fields import DOCUMENTS, Find, TimeOrNone, validated
from rotoscope.filters import catalogue
from rotoscope.request import Request, Size

SET = "set.json"
ARCHIVE = "frames.zip"
MOST_FRAMES = 20_000


class FrameSetRequest(BaseModel):
    """Frames of a video, or those of a set, as pictures, painted or not. `parse` refuses bad values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str | None = Field(
        default=None,
        title="Video",
        description="Whose frames to take: its path, as the machine that runs the tasks sees it, or its URL.",
    )
    frames: str | None = Field(
        default=None,
        title="Frames",
        description="In the place of a video: a set of them, as the id of the run that made it.",
    )
    start: TimeOrNone = Field(
        default=None, title="Start", description="Seconds, m:ss or h:mm:ss; empty for the beginning."
    )
    end: TimeOrNone = Field(default=None, title="End", description="The same way; empty for the end of the video.")
    every: int = Field(default=1, ge=1, title="Every n-th", description="1 takes all frames, 10 every tenth.")
    size: Size = Field(default="source", title="Size", description="The shorter side of the pictures.")
    picture: Literal["png", "jpeg"] = Field(
        default="png", title="Kind of picture", description="PNG loses nothing; JPEG takes a tenth of the space."
    )
    archive: bool = Field(default=False, title="Archive", description="Also all pictures in one zip file.")
    filter: str | None = Field(
        default=None, title="Filter", description="What paints the frames; empty for frames as they are."
    )
    strength: float = Field(
        default=1.0, ge=0, le=1, title="Strength", description="From 0, the frames as they are, to 1, all paint."
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
        if bool(request.source) == bool(request.frames):
            raise Refused("Give either source, a video, or frames, a set of them.")
        painting = Request.parse({"source": "frames", **request._how}, find)
        if request.filter and painting.texture.remote:
            raise Refused(f"The filter {request.filter} paints elsewhere; have a video painted with it.")
        Request.parse({"source": request.source or "frames", "start": request.start, "end": request.end})
        pinned = painting.filter if request.filter else None
        return request.model_copy(update={"filter": pinned, DOCUMENTS: painting.documents})

    @property
    def painting(self) -> Request:
        """What paints the frames."""
        return Request.parse({"source": "frames", **self._how}, lambda name: catalogue.get(name, self.documents))

    @property
    def taking(self) -> Request:
        """Which part of the video is taken, in which size."""
        return Request.parse({"source": self.source, "start": self.start, "end": self.end, "size": self.size})

    @property
    def _how(self) -> dict[str, Any]:
        filter = self.filter or catalogue.IDENTITY
        return {"filter": filter, "strength": self.strength, "keep_colours": self.keep_colours}


class PictureOfFrame(BaseModel):
    """A frame of a set. name: of its object; pts: when it is shown, in the set's ticks."""

    name: str
    index: int
    pts: int


class FrameSet(BaseModel):
    """What is known of a set. tick: seconds a tick, a fraction; part: (start, end) in seconds of the video."""

    video: str
    picture: Literal["png", "jpeg"]
    size: tuple[int, int]
    tick: str
    last_duration: int
    part: tuple[str, str] | None
    frames: list[PictureOfFrame]
    filter: str | None = None
    archive: bool = False
