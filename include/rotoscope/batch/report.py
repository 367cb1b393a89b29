"""Batch report: what became of each rotoscope of a batch, as a table for programs, and as a page for people."""

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jinja2 import Environment, FileSystemLoader
from PIL import Image, ImageDraw, ImageFont
from pydantic import BaseModel, ConfigDict, Field

from rotoscope.batch.plan import BatchPlan, Item

REPORT, PAGE, SHEET = "report.json", "report.html", "sheet.jpg"
State = Literal["done", "skipped", "failed"]
THUMBNAIL, LABEL, GAP, COLUMNS = 320, 20, 8, 4
"""Pixels: width of a picture, height of its label, space between pictures; pictures beside each other."""
JPEG_QUALITY = 85
LONGEST_LABEL = 46


@dataclass(frozen=True)
class Made:
    """A result. objects: the keys of its objects, by kind; spent: US dollars that an endpoint was paid for it."""

    objects: dict[str, str]
    spent: float


class Row(BaseModel):
    """What became of a rotoscope."""

    model_config = ConfigDict(frozen=True)

    label: str
    video: str = Field(description="Its place, as the manifest has it.")
    state: State
    reason: str = Field(description="Why it is not done, in one sentence; empty for those that are.")
    must: bool
    run: str | None = Field(description="The id of its run of the DAG rotoscope, if it was started.")
    result: dict[str, str] = Field(description="Keys of the result's objects in the store, by kind.")
    frames: int
    cost: float = Field(description="US dollars: what this run spent on it.")

    @property
    def is_whole(self) -> bool:
        """Whether there is a result."""
        return bool(self.result)


class Report(BaseModel):
    """What became of a batch."""

    model_config = ConfigDict(frozen=True)

    title: str
    done: int
    skipped: int
    failed: int
    frames: int = Field(description="Painted by this run.")
    cost: float = Field(description="US dollars that this run spent.")
    notices: list[str]
    rows: list[Row]

    @property
    def missing(self) -> list[Row]:
        """What must be there and is not."""
        return [row for row in self.rows if row.must and not row.is_whole]


def make_report(
    plan: BatchPlan, made_of: Callable[[str], Made | None], reason_of: Callable[[str], str | None]
) -> Report:
    """What became of a plan.

    made_of: gives a result by its digest, None if there is none; reason_of: gives why a run failed, if that is known.
    """
    made: list[Made | None] = []
    for item in plan.items:
        own = made_of(item.priced.result) if item.priced and item.fate in ("paint", "there") else None
        made.append(made[item.same] if item.same is not None else own)
    rows = [_row(item, one, reason_of) for item, one in zip(plan.items, made, strict=True)]
    done = [row for row in rows if row.state == "done"]
    return Report(
        title=plan.title,
        done=len(done),
        skipped=sum(row.state == "skipped" for row in rows),
        failed=sum(row.state == "failed" for row in rows),
        frames=sum(row.frames for row in done),
        cost=round(sum(row.cost for row in done), 6),
        notices=plan.notices,
        rows=rows,
    )


def _row(item: Item, made: Made | None, reason_of: Callable[[str], str | None]) -> Row:
    state: State = "skipped"
    reason = item.why
    if item.fate == "refused":
        state = "failed"
    elif item.fate == "paint":
        state = "done" if made else "failed"
        reason = "" if made else reason_of(item.run) or f"Its run {item.run} ended without a result."
    return Row(
        label=item.label,
        video=item.wanted.place,
        state=state,
        reason=reason,
        must=item.wanted.must,
        run=item.run or None,
        result=made.objects if made else {},
        frames=item.priced.frames if item.priced else 0,
        cost=round(item.priced.painting + made.spent, 6) if item.priced and made and state == "done" else 0,
    )


def sheet(pictures: list[tuple[str, Image.Image]]) -> Image.Image:
    """A contact sheet of labelled pictures, which are thumbnails."""
    height = max((picture.height for _, picture in pictures), default=1)
    columns, lines = max(1, min(COLUMNS, len(pictures))), max(1, -(-len(pictures) // COLUMNS))
    block = THUMBNAIL + GAP, LABEL + height + GAP
    made = Image.new("RGB", (columns * block[0] + GAP, lines * block[1] + GAP), "white")
    draw, font = ImageDraw.Draw(made), ImageFont.load_default(size=LABEL * 2 // 3)
    for place, (label, picture) in enumerate(pictures):
        left, top = place % columns * block[0] + GAP, place // columns * block[1] + GAP
        shown = label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"
        draw.text((left, top), shown, fill="black", font=font)
        made.paste(picture, (left, top + LABEL))
    return made


def page(report: Report, pictures: dict[int, Image.Image], address: Callable[[str], str]) -> str:
    """The report as one HTML page. pictures: thumbnails of rows, by place; address: where people find an object."""
    shown = {row: _as_url(picture) for row, picture in pictures.items()}
    templates = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
    return templates.get_template("report.html").render(report=report, pictures=shown, address=address)


def thumbnail(picture: Image.Image) -> Image.Image:
    """A picture of THUMBNAIL pixels in width."""
    height = max(1, round(picture.height * THUMBNAIL / picture.width))
    return picture.convert("RGB").resize((THUMBNAIL, height), Image.Resampling.LANCZOS)


def _as_url(picture: Image.Image) -> str:
    """The picture in an address of its own, so that the page is one file."""
    held = io.BytesIO()
    picture.save(held, "JPEG", quality=JPEG_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(held.getvalue()).decode()}"
