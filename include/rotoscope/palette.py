"""Palette: what a request paints with on this machine, made of its filters."""

from collections.abc import Callable
from functools import partial

from rotoscope import engines
from rotoscope.engines import Paint
from rotoscope.errors import Refused
from rotoscope.filters import chain
from rotoscope.filters.catalogue import Filter
from rotoscope.filters.chain import Timed
from rotoscope.media.video import Video
from rotoscope.request import Layers, Request


def paint_of(request: Request, video: Video, threads: int, at_once: int) -> tuple[Timed, float, tuple[Paint, ...]]:
    """What paints a request's frames, how strongly that is to be laid over them, and one painter for each chain in it.

    threads: in all; at_once: frames painted side by side. Raises Refused for a filter that paints elsewhere.
    """
    load = partial(_loaded, request, threads, at_once)
    if not request.fade_to:
        paint, strength = _chained(request.layers, load)
        return chain.always(paint), strength, (paint,)
    between, strength = _fade(request.layers, request.later_layers, load)
    return chain.faded(between, fade_share(request, video)), strength, (between(0.0), between(1.0))


def still_paint(request: Request, threads: int) -> Timed:
    """What paints single pictures as a request wants its frames, but for fades and steadiness, which need a video."""
    paint, strength = _chained(request.layers, partial(_loaded, request, threads, 1))
    return chain.over(chain.always(paint), strength, request.keep_colours)


def fade_share(request: Request, video: Video) -> Callable[[int], float]:
    """How much a frame shows of what a request fades to, by its index; below 0 before the fade, above 1 after it."""
    whole = (video.pts[-1] - video.pts[0]) * video.tick
    start = request.fade_start_second or 0
    length = max((whole if request.fade_end_second is None else request.fade_end_second) - start, video.tick)
    return lambda index: float(((video.pts[index] - video.pts[0]) * video.tick - start) / length)


def _fade(first: Layers, second: Layers, load: Callable[[Filter], Paint]) -> tuple[Callable[[float], Paint], float]:
    """What lies between two chains. Two textures of one network, of the same strength, need one pass."""
    if len(first) == len(second) == 1:
        (one, strength), (other, strength_then) = first[0], second[0]
        if strength == strength_then and one.blends_with(other):
            return lambda share: load(one.blended(other, share)), strength
    return chain.mixed(
        *(chain.through([(load(one), strength) for one, strength in part]) for part in (first, second))
    ), 1


def _chained(layers: Layers, load: Callable[[Filter], Paint]) -> tuple[Paint, float]:
    """What paints all layers, and how strongly that is to be laid over a frame."""
    loaded = [(load(one), strength) for one, strength in layers]
    return loaded[0] if len(loaded) == 1 else (chain.through(loaded), 1.0)


def _loaded(request: Request, threads: int, at_once: int, filter: Filter) -> Paint:
    if filter.remote:
        raise Refused(f"The filter {filter.name} paints at an Algorithmia endpoint, which only the DAG reaches.")
    return chain.at_scale(engines.load(filter, threads, at_once, request.half), request.scale)
