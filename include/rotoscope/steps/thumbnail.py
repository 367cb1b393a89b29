"""Thumbnail: the first frame of a painted chunk, small."""

import io

from PIL import Image

from rotoscope.media.decode import decode
from rotoscope.media.pixels import RGB
from rotoscope.media.track import Picture
from rotoscope.media.video import Video
from rotoscope.painting import painted_track
from rotoscope.plan import Plan, output_of
from rotoscope.store import keys
from rotoscope.store.base import Store

SIZE = (320, 320)
QUALITY = 85


def thumbnail(store: Store, plan: Plan, index: int) -> bytes:
    """A JPEG of at most 320x320 pixels. Raises KeyError if the chunk is not painted."""
    chunk = plan.chunks[index]
    video = Video.model_validate(store.get_json(keys.manifest(plan.video)))
    output = output_of(plan.request, video)
    _, when = chunk.shown(output.timeline)[0]
    with store.local(keys.painted(chunk.digest)) as path:
        track = painted_track(path, output, video)
        (frame,) = decode(track, Picture(RGB, track.size), [when])
    picture = Image.fromarray(frame)
    picture.thumbnail(SIZE, Image.Resampling.LANCZOS)
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=QUALITY)
    return written.getvalue()
