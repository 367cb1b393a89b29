"""VideoTransform's placeholders, which make any algorithm for pictures a filter for video.

An input template holds `$SINGLE_INPUT` and `$SINGLE_OUTPUT` where one picture's URIs go, or `$BATCH_INPUT` and
`$BATCH_OUTPUT` where lists of several go.
"""

import json
from collections.abc import Sequence
from typing import Any

SINGLE = ("$SINGLE_INPUT", "$SINGLE_OUTPUT")
BATCH = ("$BATCH_INPUT", "$BATCH_OUTPUT")


def takes_batches(template: Any) -> bool:
    """Whether a template is for several pictures. Raises ValueError if it lacks placeholders, or mixes them."""
    text = json.dumps(template)
    single, batch = (all(one in text for one in pair) for pair in (SINGLE, BATCH))
    if single == batch:
        raise ValueError(f"an input needs {' and '.join(SINGLE)}, or {' and '.join(BATCH)}")
    return batch


def filled(template: Any, sources: Sequence[str], targets: Sequence[str]) -> Any:
    """The template with these URIs in the place of its placeholders; a single picture's also inside of a string."""
    lists: dict[str, Any] = dict(zip(BATCH, (list(sources), list(targets)), strict=True))
    words = dict(zip(SINGLE, (sources[0], targets[0]), strict=True))

    def fill(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: fill(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [fill(inner) for inner in value]
        if isinstance(value, str):
            for name, uri in words.items():
                value = value.replace(name, uri)
            return lists.get(value, value)
        return value

    return fill(template)
