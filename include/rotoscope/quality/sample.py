"""What a chunk is measured by: one pair of neighbouring frames, taken as they are painted, so that it costs little."""

from typing import Any

from rotoscope.media.track import Frame
from rotoscope.quality.warping import Image, flow_between, small, warping_error

SMALLEST = 16


class Sample:
    """Two neighbouring frames, before and after painting.

    ```python
    sample = Sample(first=12)
    sample.add(12, source, painted)
    sample.add(13, source, painted)
    sample.measured()  # {"warping_error": 0.0021, "source_warping_error": 0.0008}
    ```
    """

    def __init__(self, first: int) -> None:
        self._first = first
        self._pairs: list[tuple[Image, Image]] = []

    def add(self, index: int, source: Frame, painted: Frame) -> None:
        """Keep a frame if it is one of the two, and was painted, and is large enough for flow."""
        if index in (self._first, self._first + 1) and painted is not source and min(painted.shape[:2]) >= SMALLEST:
            self._pairs.append((small(source), small(painted)))

    def measured(self) -> dict[str, Any]:
        """The warping errors of source and result, nothing if the two frames did not come."""
        if len(self._pairs) < 2:
            return {}
        (source, painted), (next_source, next_painted) = self._pairs
        flow, visible = flow_between(source, next_source)
        errors = {"source_warping_error": (source, next_source), "warping_error": (painted, next_painted)}
        return {name: round(warping_error(*pair, flow, visible), 6) for name, pair in errors.items()}
