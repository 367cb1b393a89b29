"""Still painting: one picture under a request's filters, in a process aside.

Networks take seconds to load, stay in memory, and use every processor that they are given.
"""

from rotoscope.engines import Frame
from rotoscope.errors import Refused
from rotoscope.media.still import BadPicture, Kind, decode_picture, encode_picture, in_eight_bits
from rotoscope.palette import still_paint
from rotoscope.request import Request


def paint_picture(request: Request, content: bytes, kind: Kind, threads: int) -> bytes:
    """A PNG, JPEG or WebP, painted, as a picture of this kind. Raises Refused for what cannot be painted."""
    try:
        picture = decode_picture(content)
    except BadPicture as bad:
        raise Refused(f"This picture cannot be painted: {bad}. Send a PNG, JPEG or WebP.") from None
    height, width, _ = picture.shape
    request.painted_size((width, height))
    painted: Frame = picture
    if request.paints:
        painted = still_paint(request, threads)(0, picture)
    return encode_picture(painted if kind == "png" else in_eight_bits(painted), kind)
