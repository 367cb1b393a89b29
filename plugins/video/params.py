"""The fields of a request as DAG params: one JSON schema for the trigger form, `conf` and the domain."""

from typing import Any

from airflow.sdk import Param
from pydantic import BaseModel

from rotoscope import formats
from rotoscope.batch.request import BatchRequest
from rotoscope.fields import users
from rotoscope.filters import catalogue
from rotoscope.frames import FrameSetRequest
from rotoscope.housekeeping.request import HousekeepingRequest
from rotoscope.request import Request
from rotoscope.sheet import SheetRequest
from rotoscope.style import StyleRequest
from rotoscope.training.recipe import TrainRequest

SECTIONS: dict[str, tuple[str, ...]] = {
    "More filters": ("blend", "then", "scale", "fade_to", "fade_start", "fade_end"),
    "Mask": ("mask", "mask_feather", "mask_invert"),
    "Part and size": ("start", "end", "size", "fps", "deinterlace"),
    "Steady motion": ("steady", "key_frames"),
    "Output": ("format", "quality", "speed", "pixel_format"),
    "Chunks and speed": ("half", "chunk_frames", "scene_cuts", "keep_painted"),
    "Painting at an endpoint": ("model", "most_calls", "most_cost"),
}
TRAINING: dict[str, tuple[str, ...]] = {
    "How it is weighed": ("style_weight", "steadiness", "style_pixels"),
    "Network and chance": ("channels", "crop", "seed", "vgg"),
}
FOR_GOOD = ("batches", "frames", "sheets", "results", "videos")


def request_params() -> dict[str, Param]:
    """A Param for each field of a request, made from the request's own schema."""
    return _params(Request, SECTIONS)


def sheet_params() -> dict[str, Param]:
    """The same for a contact sheet."""
    return _params(SheetRequest, {})


def frame_set_params() -> dict[str, Param]:
    """The same for a set of frames."""
    return _params(FrameSetRequest, {"Painting": ("filter", "strength", "keep_colours")})


def style_params() -> dict[str, Param]:
    """The same for a filter from one picture."""
    return _params(StyleRequest, {})


def train_params() -> dict[str, Param]:
    """The same for a filter that is trained."""
    return _params(TrainRequest, TRAINING)


def batch_params() -> dict[str, Param]:
    """The same for a batch."""
    return _params(BatchRequest, {"When": ("date", "window", "zone"), "For whom": ("plan",)})


def housekeeping_params() -> dict[str, Param]:
    """The same for housekeeping."""
    return _params(HousekeepingRequest, {"Kept for good, unless you say so": FOR_GOOD})


def _params(kind: type[BaseModel], sections: dict[str, tuple[str, ...]]) -> dict[str, Param]:
    properties = kind.model_json_schema()["properties"]
    return {name: _param(name, dict(properties[name]), sections) for name in users(kind)}


def _param(name: str, schema: dict[str, Any], sections: dict[str, tuple[str, ...]]) -> Param:
    needed = "default" not in schema
    default = schema.pop("default", [] if schema.get("type") == "array" else "")
    if "anyOf" in schema:
        # The form knows nullable fields as a list of types.
        kinds = schema.pop("anyOf")
        schema |= {**kinds[0], "type": [kind["type"] for kind in kinds]}
    schema |= _choices(name)
    for section, names in sections.items():
        if name in names:
            schema["section"] = section
    if needed and default == "":
        schema["minLength"] = 1  # without a default, this makes the form ask for it
    return Param(default, **schema)


def _choices(name: str) -> dict[str, Any]:
    if name == "filter":
        return _proposed(list(catalogue.catalogue()))
    if name == "format":
        return _labelled({one.name: f"{one.title}: {one.sentence}" for one in formats.formats().values()})
    if name == "filters":
        return _proposed(catalogue.here())
    if name == "size":
        return {"values_display": {"source": "Same as the video"}}
    return {}


def _proposed(filters: list[str]) -> dict[str, Any]:
    """Filters that the form proposes; those that somebody made are as good."""
    titles = {name: f"{catalogue.get(name).title}: {catalogue.get(name).sentence}" for name in filters}
    return {"examples": filters, "values_display": titles}


def _labelled(choices: dict[str, str]) -> dict[str, Any]:
    return {"enum": list(choices), "values_display": choices}
