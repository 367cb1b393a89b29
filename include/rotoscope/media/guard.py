"""The guard: how ffmpeg and ffprobe are told to open a file, so that nothing in it makes them open another."""

from pathlib import Path
from typing import Any

import ffmpeg

from rotoscope.limits import limits

# Demuxers for what a person may call a video. Playlists, scripts and single pictures stay out: a playlist named
# `.mp4` would make ffmpeg read other files.
CONTAINERS = "mov,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,ogg,asf,gif,mxf,nut,ivf,h264,hevc,m4v,dv,apng"
PROTOCOLS = "file,pipe"
OWN = "nut"
"""The container of segments and painted chunks: it keeps every time base exactly, and files of it can be joined."""


def source(path: Path, demuxer: str, **options: Any) -> Any:
    """An ffmpeg-python input that can only ever read this one local file, in this container, whatever it holds."""
    return ffmpeg.input(
        f"file:{path}",
        format=demuxer,
        protocol_whitelist=PROTOCOLS,
        format_whitelist=CONTAINERS,
        max_pixels=limits().max_pixels,
        **options,
    )


def asked(path: Path, demuxer: str | None = None) -> list[str]:
    """The same for ffprobe; without a demuxer it finds out by itself which of those it may use."""
    forced = ["-f", demuxer] if demuxer else []
    return [*forced, "-protocol_whitelist", PROTOCOLS, "-format_whitelist", CONTAINERS, f"file:{path}"]


def pattern(folder: Path, name: str) -> Path:
    """A pattern of file names such as `%05d.nut` in a folder whose own name may hold per cent signs."""
    return Path(str(folder).replace("%", "%%")) / name


def output(streams: list[Any], path: Path, **options: Any) -> list[str]:
    """Ffmpeg's arguments to write these streams into a file whose name is ours."""
    arguments: list[str] = ffmpeg.output(*streams, f"file:{path}", **options).get_args()
    return arguments
