"""Streams of events look less often where many are open, and one that is left counts no more."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from rotoscope_api.events import LOOKS, SECONDS, EventStream


@pytest.mark.parametrize("streams", [1, 10, 50])
def test_all_streams_together_look_so_often_at_most(streams: int) -> None:
    pace = asyncio.run(pace_with(streams))
    assert pace >= SECONDS
    assert streams / pace <= LOOKS
    assert EventStream.pace() == SECONDS, "those whose callers went are forgotten"


async def pace_with(streams: int) -> float:
    """The pace while so many are open, whose callers then go."""
    gone = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b": still here\n\n"
            await asyncio.sleep(0.01)

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        pass

    scope: dict[str, Any] = {"type": "http", "asgi": {"spec_version": "2.3"}}
    open_ones = [asyncio.create_task(EventStream(endless())(scope, receive, send)) for _ in range(streams)]
    await asyncio.sleep(0.05)
    pace = EventStream.pace()
    gone.set()
    await asyncio.gather(*open_ones)
    return pace
