"""Presets and formats: what a rotoscope's options can be."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from rotoscope import formats, presets
from rotoscope.errors import Refused
from rotoscope.presets import Preset
from rotoscope_api.caller import Caller, allowed
from rotoscope_api.manners import Cursor, Limit, Listed, page_of
from rotoscope_api.problems import Problem, documented

router = APIRouter(tags=["Presets"])
Reader = Annotated[Caller, allowed("rotoscopes:read")]
Name = Annotated[str, Path(max_length=60, pattern=r"^[a-z0-9-]+$", examples=["steady"])]


class OutputFormat(BaseModel):
    """A kind of file that comes out."""

    name: str
    title: str
    sentence: str = Field(description="What it is for.")
    extension: str
    pixel_formats: list[str] = Field(description="The nearest to the video's is used, unless another is asked for.")


@router.get("/presets", summary="List Presets")
async def list_presets(caller: Reader, limit: Limit = 20, cursor: Cursor = None) -> Listed[Preset]:
    """Named sets of options."""
    return page_of(list(presets.presets().values()), limit, cursor)


@router.get("/presets/{name}", summary="Get Preset", responses=documented("not-found"))
async def get_preset(caller: Reader, name: Name) -> Preset:
    """A preset's options."""
    try:
        return presets.get(name)
    except Refused as refused:
        raise Problem("not-found", str(refused)) from None


@router.get("/formats", summary="List Formats")
async def list_formats(caller: Reader, limit: Limit = 20, cursor: Cursor = None) -> Listed[OutputFormat]:
    """What a rotoscope's `format` can be."""
    found = [
        OutputFormat(
            **one.model_dump(include={"name", "title", "sentence", "extension"}),
            pixel_formats=[*one.pixel_formats, *one.more_pixel_formats],
        )
        for one in formats.formats().values()
    ]
    return page_of(found, limit, cursor)
