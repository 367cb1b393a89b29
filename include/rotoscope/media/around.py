"""What goes around the filters, on the clock of the result: whole, or the part that was asked for."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from rotoscope.formats import Options
from rotoscope.media import guard, probe, process
from rotoscope.media.output import Output
from rotoscope.media.passage import COPY, TEXT_SUBTITLES, Passage, passages
from rotoscope.media.source import Source

NO_STREAM = "1000000?"
"""Maps nothing; it is there so that a file of which no stream is used still gives its metadata."""
DEMUXERS = {"mp4": "mov", "mov": "mov", "webm": "matroska", "matroska": "matroska"}


@dataclass(frozen=True)
class Around:
    """Streams as ffmpeg-python inputs, each with ffmpeg's options for it, and the input of metadata and chapters."""

    origin: Any
    streams: list[tuple[Any, Options]]
    chapters: bool


def around(source: Source, output: Output, scratch: Path) -> Around:
    """The streams of a source that the output holds. Raises ProcessFailed if a part cannot be cut."""
    kept = passages(source.video, output.target)
    if output.timeline.part is not None:
        return _part(source, output, kept, output.timeline.part, scratch)
    video = source.video
    zero = video.origin * video.tick + video.clock_start
    file = guard.source(source.file, video.demuxer, itsoffset=f"{float(-zero):.6f}")
    mended = guard.source(source.pictures, guard.OWN) if video.is_mended else None
    return Around(file[NO_STREAM], [(_pick(one, source, file, mended), one.options) for one in kept], True)


def _part(
    source: Source, output: Output, kept: list[Passage], part: tuple[Fraction, Fraction], scratch: Path
) -> Around:
    """Sound and subtitles of a part, each cut into files that start at zero, with the chapters of the part."""
    sound, text = ([one for one in kept if one.stream.kind == kind] for kind in ("audio", "subtitle"))
    file = guard.source(source.file, source.video.demuxer)
    still = [(file[str(one.stream.index)], one.options) for one in kept if one not in (*sound, *text)]
    later = [(_cut_subtitle(one, source, part, scratch), _again(one, output)) for one in text]
    if not sound:
        return Around(file[NO_STREAM], later + still, False)
    path = _cut_sound(sound, source, output, part, scratch)
    cut = guard.source(path, DEMUXERS[output.target.muxer])
    there = probe.ask(path)["streams"]  # a stream that is silent in this part may be left out
    return Around(cut[NO_STREAM], [(cut[str(one["index"])], COPY) for one in there] + later + still, True)


def _cut_sound(
    sound: list[Passage], source: Source, output: Output, part: tuple[Fraction, Fraction], scratch: Path
) -> Path:
    """The sound streams of a part as the output has them."""
    video = source.video
    begun = guard.source(source.file, video.demuxer, **_window(part, video.start_time - float(video.clock_start)))
    mended = guard.source(source.pictures, guard.OWN, **_window(part, 0)) if video.is_mended else None
    options: dict[str, Any] = {"format": output.target.muxer, "copypriorss": 0, **output.target.muxer_options}
    options.pop("tag:v", None)
    for place, one in enumerate(sound):
        options |= {f"{name}:{place}": value for name, value in one.options.items()}
    path = scratch / "sound"
    process.run("ffmpeg", guard.output([_pick(one, source, begun, mended) for one in sound], path, **options))
    return path


def _cut_subtitle(one: Passage, source: Source, part: tuple[Fraction, Fraction], scratch: Path) -> Any:
    """A subtitle stream of a part. Text becomes SRT first, since ffmpeg shifts what it cuts and converts at once."""
    video, index = source.video, one.stream.index
    whole, cut = scratch / f"{index}.mkv", scratch / f"{index}-cut.mkv"
    codec = "srt" if one.stream.codec in TEXT_SUBTITLES else "copy"
    file = guard.source(source.file, video.demuxer, itsoffset=f"{-float(video.clock_start):.6f}")
    process.run("ffmpeg", guard.output([file[str(index)]], whole, copyts=None, c=codec, format="matroska"))
    held = {"c": "copy", "format": "matroska", "avoid_negative_ts": "disabled"}
    start, end = (f"{float(second):.6f}" for second in part)
    begun = guard.source(whole, "matroska", seek_timestamp=1, ss=start, to=end)
    process.run("ffmpeg", guard.output([begun["s:0?"]], cut, **held))
    return guard.source(cut, "matroska")["s:0?"]


def _again(one: Passage, output: Output) -> Options:
    """Ffmpeg's options for a subtitle stream that became SRT."""
    if one.stream.codec not in TEXT_SUBTITLES or output.target.can_hold("subtitle", "subrip"):
        return COPY
    return output.target.converts["subtitle"]


def _pick(one: Passage, source: Source, file: Any, mended: Any | None) -> Any:
    """A stream in the source's file, or sound in its lossless copy, where both have the same mended clock."""
    if mended is not None and one.stream.kind == "audio":
        return mended[f"a:{source.video.sound.index(one.stream)}"]
    return file[str(one.stream.index)]


def _window(part: tuple[Fraction, Fraction], start_time: float) -> dict[str, str]:
    """A part as ffmpeg counts: in seconds from the file's start."""
    start, end = (float(second) - start_time for second in part)
    return {"ss": f"{start:.6f}", "t": f"{end - start:.6f}"}
