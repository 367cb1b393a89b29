"""Raw frames: how each pixel format lies in memory, and which one a source is worked on in."""

from dataclasses import dataclass

RGB = "rgb24"


@dataclass(frozen=True)
class Layout:
    """Planes of a raw frame without padding.

    fourcc is ffmpeg's tag for raw video of this layout; chroma is (horizontal, vertical) subsampling as shifts.
    """

    fourcc: bytes
    sample_bytes: int = 1
    full_planes: int = 1
    chroma: tuple[int, int] | None = None

    def frame_bytes(self, width: int, height: int) -> int:
        """Bytes of one frame of this size in pixels; chroma planes round up, as ffmpeg's do."""
        samples = width * height * self.full_planes
        if self.chroma is not None:
            across, down = self.chroma
            samples += 2 * -(-width >> across) * -(-height >> down)
        return samples * self.sample_bytes


_420, _422, _444 = (1, 1), (1, 0), (0, 0)
LAYOUTS = {
    RGB: Layout(b"RGB\x18", full_planes=3),
    "gray": Layout(b"Y800"),
    "yuv420p": Layout(b"I420", chroma=_420),
    "yuv422p": Layout(b"Y42B", chroma=_422),
    "yuv444p": Layout(b"444P", chroma=_444),
    "yuv420p10le": Layout(b"Y3\x0b\x0a", sample_bytes=2, chroma=_420),
    "yuv422p10le": Layout(b"Y3\x0a\x0a", sample_bytes=2, chroma=_422),
    "yuv444p10le": Layout(b"Y3\x00\x0a", sample_bytes=2, chroma=_444),
}


def layout_name(pixel_format: str) -> str:
    """The name under which `LAYOUTS` knows a format: `yuvj420p` is `yuv420p` of full range, with the same layout."""
    return pixel_format.replace("yuvj", "yuv")


def working_format(pixel_format: str) -> str:
    """The format in which unpainted frames of a source travel: its own where we know its layout, else RGB."""
    name = layout_name(pixel_format)
    return name if name in LAYOUTS else RGB


def file_format(pixel_format: str) -> str:
    """The format in which a lossless file holds frames: their own, but for RGB, which FFV1 pads to four bytes."""
    return "bgr0" if pixel_format == RGB else pixel_format
