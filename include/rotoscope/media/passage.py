"""What passes around the filters: which streams of a source a format copies, converts or has to leave out."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from rotoscope.formats import Format, Options
from rotoscope.media.pixels import bits, has_alpha, layout_name
from rotoscope.media.track import Picture
from rotoscope.media.video import OtherStream, Video

TEXT_SUBTITLES = {"subrip", "ass", "ssa", "webvtt", "mov_text", "text"}
"""Subtitles that one format can be turned into another of; the others are pictures."""
OPUS_LAYOUTS = "7.1|5.1|stereo|mono"
"""Loudspeakers as Opus knows them; films have 5.1(side)."""
COPY: Options = {"c": "copy"}


@dataclass(frozen=True)
class Passage:
    """A stream that goes into the result, and ffmpeg's options for it."""

    stream: OtherStream
    options: Options

    @property
    def copied(self) -> bool:
        return self.options == COPY


def passages(video: Video, target: Format) -> list[Passage]:
    """The streams besides the painted one that the result has, in the source's order."""
    found = [(stream, _options(stream, target)) for stream in video.others]
    return [Passage(stream, options) for stream, options in found if options is not None]


def notices(video: Video, target: Format, stored: Picture, deinterlaced: bool = False) -> list[str]:
    """One sentence for each thing of the source that the result, stored as `stored`, does not hold as it was."""
    return [*_of_pictures(video, target, stored, deinterlaced), *_of_streams(video, target)]


def _options(stream: OtherStream, target: Format) -> Options | None:
    if target.can_hold(stream.kind, stream.codec):
        return COPY
    if stream.kind == "subtitle" and stream.codec not in TEXT_SUBTITLES:
        return None
    wanted = target.converts.get(stream.kind)
    if wanted is not None and wanted["c"] == "libopus":
        return {**wanted, "filter": f"aformat=channel_layouts={OPUS_LAYOUTS}"}
    return wanted


def _of_pictures(video: Video, target: Format, stored: Picture, deinterlaced: bool) -> Iterable[str]:
    if video.cut.reason:
        yield f"The source was decoded and stored without loss before it was cut, since {video.cut.reason}."
    if any(other.kind == "video" for other in video.others):
        yield f"The source has several video streams; stream {video.stream} was painted."
    if bits(video.pixel_format) > bits(stored.pixel_format):
        yield f"The source has {bits(video.pixel_format)} bits a sample; the result has {bits(stored.pixel_format)}."
    if has_alpha(video.pixel_format) and video.pixel_format != "pal8" and not has_alpha(stored.pixel_format):
        yield f"The source's transparency was left out; {target.title} has none."
    if "444" in video.pixel_format + layout_name(video.pixel_format) and "420" in stored.pixel_format:
        yield f"The source's colours are finer ({video.pixel_format}) than the result's ({stored.pixel_format})."
    if video.colour.range == "pc" and target.video["vcodec"] == "ffv1":
        yield f"The source's samples use the full range, which {target.title} cannot say; tell your player so."
    if not target.odd_sizes and any(side % 2 for side in video.upright_size):
        yield "The last column or row of pictures of odd size is cut off."
    if video.interlaced and not deinterlaced:
        yield "The source is interlaced and was painted as it is; ask for `deinterlace` if combs show."
    if target.tick is not None and not _are_whole(video, Fraction(target.tick)):
        yield f"Times are rounded to {target.tick} s, which is all that {target.title} holds."


def _of_streams(video: Video, target: Format) -> Iterable[str]:
    kept = {passage.stream.index: passage for passage in passages(video, target)}
    for other in video.others:
        name = f"{'Sound' if other.kind == 'audio' else other.kind.capitalize()} stream {other.index} ({other.codec})"
        if other.kind == "empty":
            yield f"Sound stream {other.index} ({other.codec}) is announced, but there is nothing in it."
        elif other.index not in kept:
            yield f"{name} was left out; {target.title} cannot hold it."
        elif not kept[other.index].copied:
            yield f"{name} was converted, since {target.title} cannot hold it."


def _are_whole(video: Video, coarse: Fraction) -> bool:
    """Whether all times of the frames are whole multiples of `coarse` seconds."""
    times = (part * video.tick / coarse for first, step, _ in video.timestamps for part in (first, step))
    return all(time.denominator == 1 for time in times)
