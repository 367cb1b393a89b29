"""A source at hand: its manifest, its file, and the file that its pictures are cut from."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from rotoscope.errors import ProcessFailed, Refused
from rotoscope.media import probe
from rotoscope.media.decode import timestamps
from rotoscope.media.guard import OWN
from rotoscope.media.lossless import write_lossless
from rotoscope.media.packets import UNKNOWN, Packets, lines, read_packets
from rotoscope.media.track import Track
from rotoscope.media.video import ARBITRARY_CLOCKS, JUMPS, Cut, Video

LOSSLESS = "lossless.nut"
SAMPLE = 12
"""Frames decoded at the beginning, to see whether a source's packets are its frames."""
DISORDER = 64
"""Places that a packet may lie away from where it is shown; no codec reorders more than 16 frames."""
LOOK_SECONDS = 0.2
CUTTABLE = {
    *("h264", "hevc", "vp8", "vp9", "av1", "mpeg1video", "mpeg2video", "mpeg4", "mjpeg", "prores", "ffv1", "theora"),
    *("wmv2", "msmpeg4v3", "flv1", "h263", "dvvideo", "gif", "png", "rawvideo"),
}
"""Codecs that segments are known to hold whole: the corpus of the tests has each of them."""
HIDDEN_FRAMES = ("vp8",)
"""Codecs whose packets may be no frames, anywhere in the stream and without a mark."""


@dataclass(frozen=True)
class Source:
    """A video with its files. pictures: the file itself, or its lossless copy where that cannot be cut."""

    video: Video
    file: Path
    pictures: Path

    @property
    def track(self) -> Track:
        """How to read its pictures."""
        return Track.of(self.video, self.pictures)


def open_source(
    path: Path, scratch: Path, sha256: Callable[[], str] | None = None, name: str | None = None
) -> tuple[Source, Packets]:
    """Probe a video file; gives it with the packets of its pictures.

    Where it cannot be cut by copy, its lossless copy is made in the folder `scratch`.
    sha256: gives the file's hash, if somebody else computes it meanwhile; name: what users call it.
    Raises Refused, naming the file and what to do, for anything that is not a video with frames.
    """
    try:
        return _opened(path, scratch, sha256, name)
    except Refused as refused:
        raise Refused(str(refused).replace(path.name, name or path.name, 1)) from None


def _opened(path: Path, scratch: Path, sha256: Callable[[], str] | None, name: str | None) -> tuple[Source, Packets]:
    before = probe.file_facts(path)
    facts = probe.ask(path)
    track, codec = _track(path, facts), str(probe.video_stream(path, facts)["codec_name"])
    with ThreadPoolExecutor(1) as pool:
        sample = pool.submit(_sample, track, None if codec in HIDDEN_FRAMES else SAMPLE)
        packets = _packets(path, track, facts)
        _refuse_too_much(track, packets)
        reason = why_not_by_copy(track, codec, packets, sample.result())
    cut = Cut(method="lossless" if reason else "copy", reason=reason)
    pictures = _lossless_copy(track, facts, scratch, with_sound=reason == JUMPS) if reason else path
    if reason:
        track, packets = _track(pictures, probe.ask(pictures)), read_packets(pictures, OWN, 0)
    pts = packets.shown_pts()
    if not pts:
        raise Refused(f"{path.name} has a video stream without a single frame; {probe.ADVICE}.")
    hashed = sha256 or (lambda: probe.file_sha256(path))
    video = probe.describe(path, facts, pts, track.tick, packets.last_duration or _usual(pts), cut, hashed)
    if probe.file_facts(path) != before:
        raise Refused(f"{path.name} is still being written; ask again when it is complete.")
    return Source(video.model_copy(update={"name": name or path.name}), path, pictures), packets


def reopen(video: Video, path: Path, scratch: Path) -> Source:
    """A source that was probed before, from its file; its lossless copy is made anew where it needs one."""
    if video.cut.method == "copy":
        return Source(video, path, path)
    facts = probe.ask(path)
    return Source(video, path, _lossless_copy(_track(path, facts), facts, scratch, with_sound=video.is_mended))


def why_not_by_copy(track: Track, codec: str, packets: Packets, sample: list[int]) -> str | None:
    """Why a source's packets cannot be cut by copy, None if they can.

    sample: the timestamps of the first frames that decoding gave.
    """
    if codec not in CUTTABLE:
        return f"segments cannot hold {codec}"
    if UNKNOWN in packets.pts:
        return "frames have no timestamps"
    shown = packets.shown_pts()
    if len(set(shown)) < len(shown):
        return "frames share a timestamp"
    order = sorted(range(len(packets.pts)), key=packets.pts.__getitem__)
    if any(abs(place - rank) > DISORDER for rank, place in enumerate(order)):
        return JUMPS
    if not any(packets.key):
        return "it has no key frame"
    if sample != (shown if codec in HIDDEN_FRAMES else shown[:SAMPLE]):
        return "its packets are not its frames"
    if _has_refresh(track, codec, packets):
        return "its key frames only begin a refresh of the picture"
    return None


def _sample(track: Track, most: int | None) -> list[int]:
    """The timestamps of the first frames, or all, as they decode; none if they do not."""
    try:
        return timestamps(track, most)
    except ProcessFailed:
        return []


def _has_refresh(track: Track, codec: str, packets: Packets) -> bool:
    """Whether packets are marked as key that only begin a refresh, whose pictures are whole some frames later.

    Live encoders do so (intra refresh). The picture itself tells: it is no I-frame. The second one tells for all.
    """
    keys = packets.key_pts()
    if codec not in ("h264", "hevc") or len(keys) < 2:
        return False
    at = float(keys[1] * track.tick)
    begin = max(0.0, at - 1) if track.demuxer in ARBITRARY_CLOCKS else at  # without an index, seeking comes late
    near = f"{begin:.6f}%{at + LOOK_SECONDS:.6f}"
    said = lines(track.path, track.demuxer, str(track.stream), "frame=pts,pict_type", "-read_intervals", near)
    return [str(keys[1]), "I"] not in (line.split(",")[:2] for line in said)


def _track(path: Path, facts: probe.Facts) -> Track:
    """How to read the pictures of a file that is not described yet."""
    stream = probe.video_stream(path, facts)
    tick = Fraction(stream["time_base"])
    return Track.of(probe.describe(path, facts, [0], tick, 0, Cut(), lambda: ""), path)


def _packets(path: Path, track: Track, facts: probe.Facts) -> Packets:
    """The packets of a source, as many as its header promises. Raises Refused if it is cut off."""
    try:
        packets = read_packets(path, track.demuxer, track.stream)
    except ProcessFailed as failure:
        if not failure.blames_the_input:
            raise
        raise Refused(f"{path.name} cannot be read to its end; copy it again from where it came from.") from None
    promised = int(probe.video_stream(path, facts).get("nb_frames", 0))
    if track.demuxer == "mov" and len(packets.pts) < promised:
        raise Refused(
            f"{path.name} is cut off: it holds {len(packets.pts)} of the {promised} frames that its header lists; "
            "copy it again from where it came from."
        )
    return packets


def _lossless_copy(track: Track, facts: probe.Facts, scratch: Path, with_sound: bool) -> Path:
    sound = sum(with_sound and stream.get("codec_type") == "audio" for stream in facts["streams"])
    copy = scratch / LOSSLESS
    try:
        write_lossless(track, sound, copy)
    except ProcessFailed as failure:
        if not failure.blames_the_input:
            raise
        raise Refused(
            f"{track.path.name} cannot be decoded ({failure}); convert it with another program, or give another copy."
        ) from None
    return copy


def _refuse_too_much(track: Track, packets: Packets) -> None:
    known = [pts for pts in packets.pts if pts != UNKNOWN] or [0]
    seconds = float((max(known) + packets.last_duration - min(known)) * track.tick)
    probe.refuse_too_much(track.path, len(packets.pts), seconds, track.pixels)


def _usual(pts: list[int]) -> int:
    """Ticks that a frame is shown where the file does not say for the last one: as long as the one before."""
    return pts[-1] - pts[-2] if len(pts) > 1 else 0
