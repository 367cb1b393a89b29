"""Painting at an endpoint: frames go there in batches, several calls at once, and come back in order.

What is on the way is bounded, what has come is kept before it is used, and a frame that was answered is never sent
again, also by another process that goes on where this one died.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from rotoscope.algorithmia.calls import Caller
from rotoscope.algorithmia.desk import Desk, check
from rotoscope.algorithmia.errors import AlgorithmiaError, BadAnswer
from rotoscope.algorithmia.gate import Gate
from rotoscope.algorithmia.paid import PaidFrames
from rotoscope.algorithmia.spending import Spent
from rotoscope.engines import Frame
from rotoscope.filters.chain import bare

Batch = list[tuple[int, Frame]]
"""Frames with their indices, as they came."""
Work = Callable[[Batch], list[Frame]]


@dataclass
class RemotePainter:
    """A `rotoscope.painting.Painter` for one chunk. used: the frames that went through it."""

    desk: Desk
    paid: PaidFrames
    caller: Caller
    gate: Gate
    used: set[int] = field(default_factory=set)

    def __call__(self, frames: Iterable[tuple[int, Frame]]) -> Iterator[tuple[int, Frame, Frame]]:
        """Paint. Raises a kind of AlgorithmiaError for what the endpoint will not do, Refused at the cap."""
        waiting: deque[tuple[Batch, Future[list[Frame]]]] = deque()
        with ThreadPoolExecutor(self.gate.most) as pool:
            try:
                for batch, work in self._batches(frames):
                    waiting.append((batch, pool.submit(work, batch)))
                    if len(waiting) > self.gate.calls:
                        yield from _first(waiting)
                while waiting:
                    yield from _first(waiting)
            finally:
                pool.shutdown(cancel_futures=True)

    def begin(self, frames: Iterable[tuple[int, Frame]]) -> list[str]:
        """Have the frames painted that are not, without waiting for any; gives where all of them will lie."""
        awaited: list[str] = []
        for batch, work in self._batches(frames):
            indices = [index for index, _ in batch]
            if work == self._paint:
                self.caller.moved(Spent(sent=self._bring(batch)))
                self.caller.begin(indices)
            if work != self._kept:
                awaited += [self.desk.target(index) for index in indices]
        return awaited

    def finish(self) -> None:
        """Let go of what is not needed any more, now that the chunk is whole. Raises AlgorithmiaError if it cannot."""
        self.paid.forget(self.used)
        self.desk.clear()

    def _batches(self, frames: Iterable[tuple[int, Frame]]) -> Iterator[tuple[Batch, Work]]:
        """The frames in order, in batches that take the same way: kept here, painted there, or not painted yet."""
        self.desk.open()
        self.caller.await_pending()
        kept, there = self.paid.there(), self.desk.painted()
        batch: Batch = []
        for index, frame in frames:
            self.used.add(index)
            if index in kept or index in there:
                if batch:
                    yield batch, self._paint
                    batch = []
                yield [(index, frame)], self._kept if index in kept else self._fetch
                continue
            batch.append((index, frame))
            if len(batch) >= self.gate.frames:
                yield batch, self._paint
                batch = []
        if batch:
            yield batch, self._paint

    def _paint(self, batch: Batch) -> list[Frame]:
        sent = self._bring(batch)
        try:
            self.caller.call([index for index, _ in batch])
        except AlgorithmiaError:
            self._keep(batch, self.desk.painted(), sent)  # what is painted is paid for
            raise
        return self._fetch(batch, sent)

    def _bring(self, batch: Batch) -> int:
        """Put frames on the desk; gives the bytes of their pictures."""
        return sum(self.desk.bring(index, bare(frame)) for index, frame in batch)

    def _fetch(self, batch: Batch, sent: int = 0) -> list[Frame]:
        painted, bad = self._keep(batch, {index for index, _ in batch}, sent)
        if bad is not None:
            raise bad
        return painted

    def _keep(self, batch: Batch, there: set[int], sent: int) -> tuple[list[Frame], BadAnswer | None]:
        """Keep the good ones of those that are there; gives them, and what is wrong with another one.

        sent: bytes that went there for them.
        """
        painted, received, bad = [], 0, None
        for index, frame in batch:
            if index in there:
                try:
                    content, pixels = self.desk.fetch(index, frame)
                except BadAnswer as error:
                    bad = error
                    continue
                self.paid.keep(index, content)
                received += len(content)
                painted.append(pixels)
        self.caller.moved(Spent(sent=sent, received=received))
        return painted, bad

    def _kept(self, batch: Batch) -> list[Frame]:
        """A frame that is kept; one that is damaged, or that another run let go of meanwhile, is painted again."""
        ((index, frame),) = batch
        try:
            pixels = self.paid.get(index)
            check(index, pixels, frame)
        except (KeyError, BadAnswer):
            self.paid.forget([index])
            return self._fetch(batch) if index in self.desk.painted() else self._paint(batch)
        return [pixels]


def _first(waiting: deque[tuple[Batch, Future[list[Frame]]]]) -> Iterator[tuple[int, Frame, Frame]]:
    batch, future = waiting.popleft()
    for (index, frame), painted in zip(batch, future.result(), strict=True):
        yield index, frame, painted
