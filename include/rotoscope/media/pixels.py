"""Raw frames: how each pixel format lies in memory, and which one a source is worked on in."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

RGB, RGBA, DEEP_RGB, DEEP_RGBA = "rgb24", "rgba", "rgb48le", "rgba64le"
"""What filters paint: uint8, or uint16 for sources with more than 8 bits a sample."""


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


CHROMA = {"420": (1, 1), "422": (1, 0), "444": (0, 0)}
LAYOUTS = {
    RGB: Layout(b"RGB\x18", full_planes=3),
    RGBA: Layout(b"RGBA", full_planes=4),
    DEEP_RGB: Layout(b"RGB\x30", 2, 3),
    DEEP_RGBA: Layout(b"RBA\x40", 2, 4),
    "gray": Layout(b"Y800"),
    "gray10le": Layout(b"Y1\x00\x0a", 2),
    "gray12le": Layout(b"Y1\x00\x0c", 2),
    "gbrp": Layout(b"G3\x00\x08", full_planes=3),
    "gbrp10le": Layout(b"G3\x00\x0a", 2, 3),
    "yuv410p": Layout(b"YUV9", chroma=(2, 2)),
    "yuv411p": Layout(b"Y41B", chroma=(2, 0)),
    "yuv440p": Layout(b"440P", chroma=(0, 1)),
    "yuv420p": Layout(b"I420", chroma=CHROMA["420"]),
    "yuv422p": Layout(b"Y42B", chroma=CHROMA["422"]),
    "yuv444p": Layout(b"444P", chroma=CHROMA["444"]),
} | {
    f"yuv{alpha}{name}p{depth}": Layout(
        bytes([89, 52 if alpha else 51, 10 * chroma[0] + chroma[1], int(depth[:-2]) if depth else 8]),
        2 if depth else 1,
        2 if alpha else 1,
        chroma,
    )
    for name, chroma in CHROMA.items()
    for alpha in ("", "a")
    for depth in ("", "10le", "12le")
    if (alpha or depth) and (alpha, depth) != ("a", "12le")  # which FFV1 does not hold
}


def layout_name(pixel_format: str) -> str:
    """The name under which `LAYOUTS` knows a format: `yuvj420p` is `yuv420p` of full range, with the same layout."""
    return pixel_format.replace("yuvj", "yuv")


def working_format(pixel_format: str) -> str:
    """The format in which unpainted frames of a source travel: its own where we know its layout, else RGB."""
    name = layout_name(pixel_format)
    return name if name in LAYOUTS else rgb_format(pixel_format)


def rgb_format(pixel_format: str) -> str:
    """The format in which frames are painted, with the depth and the alpha of this one."""
    if has_alpha(pixel_format):
        return DEEP_RGBA if bits(pixel_format) > 8 else RGBA
    return DEEP_RGB if bits(pixel_format) > 8 else RGB


def bits(pixel_format: str) -> int:
    """Bits a sample, by the format's name in ffmpeg: `yuv420p10le` has 10."""
    packed = {"rgb48": 16, "bgr48": 16, "rgba64": 16, "bgra64": 16, "p010": 10, "p016": 16, "x2rgb10": 10, "v210": 10}
    for name, depth in packed.items():
        if pixel_format.startswith(name):
            return depth
    found = re.search(r"(?:p|y|ya|gray)(\d+)(?:le|be)$", pixel_format)
    return int(found[1]) if found else 8


def has_alpha(pixel_format: str) -> bool:
    """Whether frames of this format have transparency. `pal8` is a palette that may hold transparent entries."""
    return pixel_format.startswith(("yuva", "gbrap", "rgba", "bgra", "argb", "abgr", "ya", "pal8"))


def is_rgb(pixel_format: str) -> bool:
    """Whether samples are red, green and blue, which need no conversion matrix."""
    return pixel_format.startswith(("rgb", "bgr", "gbr", "argb", "abgr", "pal8"))


def nearest(pixel_format: str, offered: Sequence[str]) -> str:
    """The first of the offered formats that holds frames of this one without loss; else the one that loses least."""
    wanted = layout_name(pixel_format)
    if wanted in offered:
        return wanted
    return min(offered, key=lambda one: _loss(wanted, one))


def file_format(pixel_format: str) -> str:
    """The format in which a lossless file holds frames: their own, but for those that FFV1 packs otherwise."""
    held = {RGB: "bgr0", "gbrp": "bgr0", RGBA: "bgra", DEEP_RGB: "gbrp16le", DEEP_RGBA: "gbrap16le"}
    return held.get(pixel_format, pixel_format)


def _loss(wanted: str, offered: str) -> tuple[bool, int, bool, int]:
    """What is lost, the worst first: transparency, bits, what a conversion between RGB and YCbCr rounds, chroma."""
    return (
        has_alpha(wanted) and not has_alpha(offered),
        max(0, bits(wanted) - bits(offered)),
        is_rgb(wanted) != is_rgb(offered),
        max(0, _chroma_samples(wanted) - _chroma_samples(offered)),
    )


def _chroma_samples(pixel_format: str) -> int:
    """Chroma samples for each 8 of luma."""
    layout = LAYOUTS.get(layout_name(pixel_format))
    if layout is None or layout.chroma is None:
        return 0 if pixel_format.startswith(("gray", "ya")) else 8
    return 8 >> sum(layout.chroma)
