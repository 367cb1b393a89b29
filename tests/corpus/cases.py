"""A corpus of videos as people have them, made by ffmpeg's own sources: codecs, containers, timing, streams."""

from dataclasses import dataclass
from pathlib import Path

from tests.corpus import odd
from tests.media import ffmpeg

FRAMES = 40
X264 = ("-c:v", "libx264", "-preset", "veryfast")
OPEN_GOP = ("-c:v", "libx264", "-x264-params", "open-gop=1:bframes=3:b-pyramid=none:scenecut=0")
REFRESH = (*X264, "-x264-params", "intra-refresh=1:bframes=0")
HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error")
MPEG2 = ("-c:v", "mpeg2video", "-q:v", "4", "-bf", "2")
MPEG4 = ("-c:v", "mpeg4", "-q:v", "4")
VP8 = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "300k")
VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "300k")
ALT_REF = ("-auto-alt-ref", "1", "-lag-in-frames", "16", "-cpu-used", "8", "-b:v", "100k")
MJPEG, FFV1, DV = ("-c:v", "mjpeg", "-q:v", "3"), ("-c:v", "ffv1"), ("-c:v", "dvvideo")
AAC, MP2, MP3, OPUS, VORBIS = (("-c:a", name) for name in ("aac", "mp2", "libmp3lame", "libopus", "libvorbis"))
PCM, FLAC, AC3, WMA = (("-c:a", name) for name in ("pcm_s16le", "flac", "ac3", "wmav2"))
FIELDS = ("-flags", "+ildct+ilme")


@dataclass(frozen=True)
class Case:
    """One file: container, pictures, sound, and what is odd about it.

    filters, tick: of the pictures and their encoder's time base; then: what is done to the file afterwards; cut: how
    it is cut.
    """

    name: str
    container: str
    video: tuple[str, ...] = X264
    sound: tuple[str, ...] | None = AAC
    filters: str = "null"
    tick: str = "-1"
    rate: str = "25"
    size: str = "96x64"
    pixel_format: str = "yuv420p"
    gop: int = 12
    options: tuple[str, ...] = ()
    then: odd.Step | None = None
    cut: str = "copy"


def make(case: Case, folder: Path) -> Path:
    """Write the case's file into a folder."""
    path = folder / f"{case.name}.{case.container}"
    first = folder / f"first.{case.container}" if case.then else path
    arguments = ["-f", "lavfi", "-i", f"testsrc2=size={case.size}:rate={case.rate}"]
    if case.sound:
        seconds = FRAMES / eval(case.rate)  # a literal of this file, such as 30000/1001
        arguments += ["-f", "lavfi", "-t", str(seconds), "-i", "sine=frequency=330:sample_rate=48000"]
    arguments += ["-frames:v", str(FRAMES), "-vf", case.filters, "-fps_mode", "passthrough"]
    arguments += ["-enc_time_base", case.tick, "-pix_fmt", case.pixel_format, "-g", str(case.gop), *case.video]
    ffmpeg(*arguments, *(case.sound or ()), *case.options, first)
    if case.then:
        case.then(first, path)
        first.unlink()
    return path


CODECS = [
    Case("h264-mp4", "mp4"),
    Case("h264-b-pyramid", "mkv", ("-c:v", "libx264", "-bf", "3", "-x264-params", "b-pyramid=normal")),
    Case("h264-open-gop-mp4", "mp4", OPEN_GOP),
    Case("h264-open-gop-ts", "ts", OPEN_GOP),
    Case("h264-intra-mov", "mov", gop=1),
    Case("h264-one-key-frame", "mp4", gop=999),
    Case("h264-444", "mkv", pixel_format="yuv444p"),
    Case("h264-10-bit", "mkv", pixel_format="yuv420p10le"),
    Case("h264-422", "mov", pixel_format="yuv422p"),
    Case("h264-full-range", "mp4", pixel_format="yuvj420p"),
    Case("h264-flv", "flv"),
    Case("h264-3gp", "3gp"),
    Case("h264-ts", "ts"),
    Case("h264-fragmented", "mp4", options=("-movflags", "frag_keyframe+empty_moov")),
    Case("h264-refresh", "mp4", REFRESH, cut="lossless"),
    Case("h264-refresh-ts", "ts", REFRESH, cut="lossless"),
    Case("h264-avi", "avi", X264, MP3, cut="lossless"),
    Case("h264-raw", "h264", X264, None, cut="lossless"),
    Case("hevc-mp4", "mp4", HEVC),
    Case("hevc-10-bit", "mkv", HEVC, pixel_format="yuv420p10le"),
    Case("hevc-ts", "ts", HEVC, AC3),
    Case("vp8-webm", "webm", VP8, VORBIS),
    Case("vp8-hidden-frames", "webm", (*VP8[:2], *ALT_REF), OPUS),
    Case("vp9-webm", "webm", VP9, OPUS),
    Case("vp9-mp4", "mp4", VP9),
    Case("vp9-alt-ref", "webm", (*VP9[:2], *ALT_REF), OPUS),
    Case("av1-mp4", "mp4", ("-c:v", "libsvtav1", "-preset", "12"), size="128x96"),
    Case("mpeg2-mpg", "mpg", MPEG2, MP2, cut="lossless"),
    Case("mpeg1-mpg", "mpg", ("-c:v", "mpeg1video", "-q:v", "4"), MP2, cut="lossless"),
    Case("mpeg1-mkv", "mkv", ("-c:v", "mpeg1video", "-q:v", "4"), MP2),
    Case("mpeg2-ts", "ts", MPEG2, MP2),
    Case("mpeg2-mkv", "mkv", MPEG2, MP2),
    Case("mpeg2-mxf", "mxf", MPEG2[:4], (*PCM, "-ar", "48000")),
    Case("mpeg2-raw", "m2v", MPEG2, None, cut="lossless"),
    Case("mpeg4-avi", "avi", MPEG4, MP3),
    Case("mpeg4-b-frames-avi", "avi", (*MPEG4, "-bf", "2"), MP3, cut="lossless"),
    Case("mpeg4-mp4", "mp4", (*MPEG4, "-bf", "2")),
    Case("mjpeg-avi", "avi", MJPEG, PCM, pixel_format="yuvj420p"),
    Case("mjpeg-mov", "mov", MJPEG, PCM, pixel_format="yuvj422p"),
    Case("prores-mov", "mov", ("-c:v", "prores_ks"), PCM, pixel_format="yuv422p10le"),
    Case("qtrle-alpha", "mov", ("-c:v", "qtrle"), PCM, pixel_format="argb", cut="lossless"),
    Case("wmv1-wmv", "wmv", ("-c:v", "wmv1", "-b:v", "400k"), WMA, cut="lossless"),
    Case("ffv1-alpha", "mkv", FFV1, None, pixel_format="yuva420p10le"),
    Case("ffv1-mkv", "mkv", FFV1, FLAC),
    Case("ffv1-rgb-alpha", "mkv", FFV1, None, pixel_format="bgra"),
    Case("ffv1-12-bit", "mkv", FFV1, None, pixel_format="yuv422p12le"),
    Case("ffv1-grey", "mkv", FFV1, None, pixel_format="gray"),
    Case("gif", "gif", ("-c:v", "gif"), None, pixel_format="rgb8", rate="10"),
    Case("theora-ogv", "ogv", ("-c:v", "libtheora", "-q:v", "5"), VORBIS),
    Case("wmv2-wmv", "wmv", ("-c:v", "wmv2", "-b:v", "400k"), WMA),
    Case("msmpeg4-asf", "asf", ("-c:v", "msmpeg4", "-b:v", "400k"), WMA),
    Case("flv1-flv", "flv", ("-c:v", "flv", "-q:v", "4"), (*MP3, "-ar", "44100")),
    Case("h263-3gp", "3gp", ("-c:v", "h263", "-q:v", "4"), None, size="176x144", rate="30000/1001"),
    Case("dv-avi", "avi", DV, PCM, size="720x576"),
    Case("png-mov", "mov", ("-c:v", "png"), PCM, pixel_format="rgb24"),
    Case("raw-avi", "avi", ("-c:v", "rawvideo"), PCM),
    Case("raw-nut", "nut", ("-c:v", "rawvideo"), PCM, pixel_format="yuv444p"),
]

TIMING = [
    Case("gap", "mp4", filters="settb=1/90000,setpts=N*3600+if(gt(N\\,20)\\,90000\\,0)", tick="1/90000"),
    Case("gap-mkv", "mkv", filters="settb=1/1000,setpts=N*40+if(gt(N\\,20)\\,900\\,0)", tick="1/1000"),
    Case("swinging", "mkv", filters="settb=1/1000,setpts=N*33+mod(N\\,3)", tick="1/1000"),
    Case("late-start", "mp4", filters="settb=1/90000,setpts=N*3600+81003", tick="1/90000"),
    Case("late-start-mkv", "mkv", filters="settb=1/1000,setpts=N*40+1500", tick="1/1000"),
    Case("broadcast-clock", "ts", options=("-output_ts_offset", "40000")),
    Case("broadcast-clock-mpg", "mpg", MPEG2, MP2, options=("-output_ts_offset", "3000"), cut="lossless"),
    Case("24-ticks", "mp4", rate="24", tick="1/24", options=("-video_track_timescale", "24")),
    Case("ntsc", "mp4", rate="30000/1001", tick="1001/30000"),
    Case("film-ntsc-mkv", "mkv", rate="24000/1001"),
    Case("90000-ticks", "mov", tick="1/90000", filters="settb=1/90000,setpts=N*3003"),
    Case("120-frames", "mp4", rate="120"),
    Case("one-frame-a-second", "mp4", rate="1"),
    Case("slows-down", "mp4", filters="settb=1/12800,setpts=if(lt(N\\,17)\\,N*256\\,N*512-4352)", tick="1/12800"),
    Case("slideshow", "mp4", filters="settb=1/1000,setpts=N*N*20", tick="1/1000"),
    Case("edit-list", "mp4", then=odd.begun_later),
    Case("dropped-frames", "avi", MPEG4, MP3, filters="select=not(between(n\\,9\\,13))"),
    Case("clock-jumps-back", "ts", then=odd.twice, cut="lossless"),
]

STREAMS = [
    Case("rotated-90", "mp4", then=odd.rotated(90)),
    Case("rotated-180", "mov", then=odd.rotated(180)),
    Case("rotated-270", "mp4", then=odd.rotated(270)),
    Case("wide-pixels", "mp4", filters="setsar=16/11"),
    Case("odd-size-444", "mkv", size="97x65", pixel_format="yuv444p"),
    Case("odd-size-ffv1", "mkv", FFV1, size="97x65"),
    Case("interlaced", "mp4", (*X264, *FIELDS, "-x264-params", "tff=1"), filters="setfield=tff"),
    Case("interlaced-ts", "ts", (*MPEG2, *FIELDS), MP2, filters="setfield=tff"),
    Case("silent", "mp4", sound=None),
    Case("sound-first", "mkv", then=odd.copied("-map", "0:a", "-map", "0:v")),
    Case("two-sounds", "mkv", then=odd.with_two_sounds),
    Case("two-videos", "mkv", then=odd.copied("-map", "0:v", "-map", "0:a", "-map", "0:v", "-disposition:v:1", "0")),
    Case("cover-first", "mp4", then=odd.with_cover),
    Case("subtitles", "mkv", then=odd.with_subtitles("srt")),
    Case("subtitles-mp4", "mp4", then=odd.with_subtitles("mov_text")),
    Case("chapters", "mkv", then=odd.with_chapters),
    Case("colour-tags", "mp4", filters="setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709"),
    Case("late-sound", "mkv", then=odd.with_late_sound),
]

ALL = [*CODECS, *TIMING, *STREAMS]
