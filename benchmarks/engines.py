"""The engine beside ONNX Runtime: the same networks on the same frame, two at once, on two threads."""

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime  # type: ignore[import-untyped]

from benchmarks import clips, steady
from rotoscope import engines
from rotoscope.engines import Frame, Paint, onnx
from rotoscope.filters import catalogue
from rotoscope.filters.catalogue import Filter

NETWORKS = ("starlit-swirl", "starry-night")
AT_ONCE, FRAMES, ROUNDS = 2, 20, 5

Show = Callable[[str, str, str], None]


def measure(show: Show) -> None:
    """Print, for each network, how many times as fast it paints as with ONNX Runtime, and how the pictures differ."""
    clip = clips.short("bikes")
    assert clip is not None  # it comes with the demo's
    frame = steady.source_of(clip)[0]
    for name in NETWORKS:
        one = catalogue.get(name)
        theirs = _with_onnx_runtime(one)
        ours = {half: engines.load(one, AT_ONCE, AT_ONCE, half, gpu=False) for half in (False, True)}
        painted = theirs(frame).astype(int)
        for half, paint in ours.items():
            ratios = [_seconds(theirs, frame) / _seconds(paint, frame) for _ in range(ROUNDS)]
            apart = np.abs(paint(frame) - painted).mean()
            what = f"{name}{', half precision' if half else ''}, over ONNX Runtime"
            show(what, f"{statistics.median(ratios):.2f} times as fast", f"{apart:.3f} levels of 255 apart")


def _with_onnx_runtime(one: Filter) -> Paint:
    """A painter of one thread a frame, which is its fastest way to paint several at once."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    assert one.weights is not None
    session = onnxruntime.InferenceSession(one.weights.read(), options, ["CPUExecutionProvider"])
    styles = {one.name: one.shape[0] for one in session.get_inputs()}.get(onnx.STYLES)
    style = {onnx.STYLES: onnx.style_weights(one, styles)} if styles else {}

    def paint(frame: Frame) -> Frame:
        image = np.ascontiguousarray(frame.transpose(2, 0, 1)[None], np.float32) / np.float32(255)
        painted = session.run(None, {"image": image, **style})[0][0].transpose(1, 2, 0)
        return np.asarray(np.clip(painted, 0, 1) * 255 + np.float32(0.5), np.uint8)

    return paint


def _seconds(paint: Paint, frame: Frame) -> float:
    """What it takes to paint the frame again and again."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(paint, [frame] * AT_ONCE))
        start = time.perf_counter()
        list(pool.map(paint, [frame] * FRAMES))
        return time.perf_counter() - start


if __name__ == "__main__":
    measure(lambda what, figure, ratio: print(f"{what:50} {figure:>18}   {ratio}", flush=True))
