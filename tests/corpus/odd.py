"""What a second ffmpeg does to a file, to make it odd: `step(source, target)`."""

from collections.abc import Callable
from pathlib import Path

from rotoscope.media.process import version
from tests.media import ffmpeg

Step = Callable[[Path, Path], None]

SUBTITLES = "1\n00:00:00,100 --> 00:00:00,900\nHello\n\n2\n00:00:01,000 --> 00:00:01,400\nGood bye\n"
CHAPTERS = ";FFMETADATA1\ntitle=A flight\n" + "".join(
    f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={start}\nEND={end}\ntitle={title}\n"
    for start, end, title in ((0, 700, "Start"), (700, 1600, "Landing"))
)


def copied(*options: str) -> Step:
    """All streams by copy, with these options."""

    def step(source: Path, target: Path) -> None:
        ffmpeg("-i", source, *(options or ("-map", "0")), "-c", "copy", target)

    return step


def begun_later(source: Path, target: Path) -> None:
    """Cut by copy between key frames, so that an edit list hides the frames before."""
    ffmpeg("-ss", "0.7", "-i", source, "-c", "copy", target)


def rotated(degrees: int) -> Step:
    def step(source: Path, target: Path) -> None:
        if version() < "6":
            ffmpeg("-i", source, "-c", "copy", "-metadata:s:v:0", f"rotate={degrees}", target)
        else:
            ffmpeg("-display_rotation", str(-degrees), "-i", source, "-c", "copy", target)

    return step


def with_cover(source: Path, target: Path) -> None:
    """A picture of the album before the video, as music players store it."""
    picture = target.with_name("cover.png")
    ffmpeg("-f", "lavfi", "-i", "color=red:size=32x32", "-frames:v", "1", picture)
    maps = ("-map", "0:v", "-map", "1:v", "-map", "1:a", "-c", "copy", "-disposition:v:0", "attached_pic")
    ffmpeg("-i", picture, "-i", source, *maps, target)


def with_subtitles(codec: str) -> Step:
    def step(source: Path, target: Path) -> None:
        text = target.with_name("subtitles.srt")
        text.write_text(SUBTITLES)
        tags = ("-metadata:s:s:0", "language=deu", "-disposition:s:0", "forced")
        ffmpeg("-i", source, "-i", text, "-map", "0", "-map", "1", "-c", "copy", "-c:s", codec, *tags, target)

    return step


def with_chapters(source: Path, target: Path) -> None:
    text = target.with_name("chapters.txt")
    text.write_text(CHAPTERS)
    ffmpeg("-i", source, "-i", text, "-map", "0", "-map_metadata", "1", "-map_chapters", "1", "-c", "copy", target)


def with_late_sound(source: Path, target: Path) -> None:
    late = ("-itsoffset", "0.4", "-i", source)
    ffmpeg("-i", source, *late, "-map", "0:v", "-map", "1:a", "-c", "copy", target)


def twice(source: Path, target: Path) -> None:
    """The bytes of a broadcast twice, so that its clock jumps back."""
    target.write_bytes(source.read_bytes() * 2)


def with_two_sounds(source: Path, target: Path) -> None:
    maps = ("-map", "0:v", "-map", "0:a", "-map", "0:a", "-c", "copy", "-c:a:1", "flac")
    tags = ("-metadata:s:a:0", "language=deu", "-metadata:s:a:1", "language=fra", "-disposition:a:1", "comment")
    ffmpeg("-i", source, *maps, *tags, target)
