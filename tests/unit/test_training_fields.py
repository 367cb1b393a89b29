"""What can be said of training without PyTorch."""

import sys

import pytest

from rotoscope import training
from rotoscope.errors import Refused, RotoscopeError
from rotoscope.training.recipe import TrainRequest

GOOD = {"styles": ["a.jpg"], "content": ["photos"], "name": "harvest"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"styles": []}, "styles is"),
        ({"name": "Not a name"}, "is no name for a filter"),
        ({"name": "oil"}, "The filter oil is built in"),
        ({"steps": 3}, "steps is 3"),
        ({"seed": 10**30}, "seed is 1000"),
        ({"crop": 100}, "crop is 100"),
        ({"colour": "red"}, "colour is not a field"),
    ],
)
def test_bad_fields_are_refused(change: dict, says: str) -> None:
    with pytest.raises(Refused, match=says):
        TrainRequest.parse({**GOOD, **change})


def test_without_pytorch_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    for name in [one for one in sys.modules if one.startswith(("rotoscope.training.", "rotoscope.steps.train"))]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(RotoscopeError, match="make setup-train"):
        training.steps()
