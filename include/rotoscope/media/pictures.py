"""Pictures for people: the poster, and before and after side by side."""

from pathlib import Path

from PIL import Image

from rotoscope.media.track import Frame

GAP = 8
WIDEST = 1920
QUALITY = 90


def save(frame: Frame, path: Path) -> None:
    """Write an RGB frame of shape (height, width, 3) as a JPEG."""
    Image.fromarray(frame).save(path, "JPEG", quality=QUALITY)


def side_by_side(before: Frame, after: Frame, path: Path) -> None:
    """Write two RGB frames as one JPEG, before on the left, at most 1,920 pixels wide."""
    right = Image.fromarray(after)
    left = Image.fromarray(before).resize(right.size, Image.Resampling.LANCZOS)
    both = Image.new("RGB", (2 * right.width + GAP, right.height), "white")
    both.paste(left, (0, 0))
    both.paste(right, (right.width + GAP, 0))
    both.thumbnail((WIDEST, WIDEST * 4), Image.Resampling.LANCZOS)
    both.save(path, "JPEG", quality=QUALITY)
