from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from rotoscope.errors import Refused
from rotoscope.request import Request


def test_defaults_paint_the_whole_video_as_it_is() -> None:
    request = Request.parse({"source": "a.mp4"})
    assert (request.strength, request.size, request.rate, request.start_second) == (1.0, "source", None, None)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "source is missing"),
        ({"source": "a", "filter": "nope"}, "no filter 'nope'; choose one of identity"),
        ({"source": "a", "format": "vhs"}, "no output format 'vhs'; choose one of gif"),
        ({"source": "a", "strength": 3}, "strength is 3, but it should be less than or equal to 1"),
        ({"source": "a", "start": "noon"}, "start is 'noon', which is no time; write seconds"),
        ({"source": "a", "start": "5", "end": "0:04"}, "part from 5 to 0:04 is empty"),
        (
            {"source": "a", "colour": "red"},
            "colour is not a field of a request; did you mean keep_colours? The fields are source",
        ),
        ({"source": "a", "brightness": 1}, "brightness is not a field of a request; the fields are source, filter"),
        ({"source": "a", "speed": "Very Slow"}, "speed cannot be 'Very Slow'. From ultrafast to veryslow"),
        ({"source": "a", "mask_feather": 5}, "mask_feather says nothing without mask"),
        ({"source": "a", "mask_invert": True}, "mask_invert says nothing without mask"),
        ({"source": "a", "fade_start": "1"}, "fade_start says nothing without fade_to"),
        ({"source": "a", "fade_to": [""], "fade_end": "1"}, "fade_end says nothing without fade_to"),
        ({"source": "a", "size": "huge"}, "size is 'huge'"),
        ({"source": "a", "fps": 0}, "fps is 0"),
        ({"source": "a", "fps": 0.0001}, "fps is 0.0001"),
        ({"source": "a", "start": "9" * 400}, "which is no time"),
        ({"source": "a", "chunk_frames": 0}, "chunk_frames is 0"),
    ],
)
def test_a_bad_value_is_refused_in_a_sentence(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(Refused) as refusal:
        Request.parse(fields)
    assert says in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_source_is_a_path_or_a_url_and_nothing_else() -> None:
    assert Request.parse({"source": "a b.mp4"}).source_path == Path("a b.mp4")
    assert Request.parse({"source": "file:///v/a%20b.mp4"}).source_path == Path("/v/a b.mp4")
    assert Request.parse({"source": "a b.mp4"}).source_url is None
    assert Request.parse({"source": "https://example.com/a.mp4"}).source_url == "https://example.com/a.mp4"
    assert Request.parse({"source": "s3://films/a b.mp4"}).source_url == "s3://films/a b.mp4"
    assert Request.parse({"source": f"video://{'0a' * 32}"}).video == "0a" * 32
    with pytest.raises(Refused, match="video://x names no video; write video:// and the 64 digits of its SHA-256"):
        _ = Request.parse({"source": "video://x"}).video
    with pytest.raises(
        Refused, match=r"concat:// cannot be fetched; give an http\(s\), s3:// or data:// URL, store://KEY, or a path"
    ):
        _ = Request.parse({"source": "concat://a.mp4"}).source_url


def test_what_is_stored_of_a_url_has_no_secrets() -> None:
    request = Request.parse({"source": "https://me:word@example.com/v/a.mp4?signature=secret#x"})
    assert request.public.source == "https://example.com/v/a.mp4"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7), ("1:02.5", Fraction(125, 2)), ("1:00:01", 3601), (4.25, Fraction(17, 4)), ("", None)],
)
def test_times(text: Any, seconds: Any) -> None:
    assert Request.parse({"source": "a", "start": text}).start_second == seconds


@pytest.mark.parametrize(
    ("fps", "rate"),
    [(25, Fraction(25)), (29.97, Fraction(30000, 1001)), (23.976, Fraction(24000, 1001)), (12.5, Fraction(25, 2))],
)
def test_broadcast_rates_are_exact(fps: float, rate: Fraction) -> None:
    assert Request.parse({"source": "a", "fps": fps}).rate == rate


@pytest.mark.parametrize(
    ("upright", "size", "painted"),
    [
        ((1280, 720), "360p", (640, 360)),
        ((720, 1280), "360p", (360, 640)),
        ((1280, 720), "source", (1280, 720)),
        ((1918, 1080), "480p", (852, 480)),
    ],
)
def test_size_is_that_of_the_shorter_side(upright: tuple[int, int], size: str, painted: tuple[int, int]) -> None:
    assert Request.parse({"source": "a", "size": size}).painted_size(upright) == painted
