"""Paint what each built-in filter looks like, and write the page that shows them all: `make previews`."""

import os

from PIL import Image

from rotoscope import engines
from rotoscope.filters import catalogue
from rotoscope.style import scene
from tools.local import CHECKOUT

PREVIEWS, PAGE = catalogue.FOLDER / "previews", CHECKOUT / "docs" / "filters.md"
SIZE, QUALITY = (320, 180), 80
HEAD = """# The built-in filters

The same drawn scene under each, painted at 640x360. What they do to your own frames: `python -m rotoscope sheet`.

| | filter | |
|---|---|---|
"""


def main() -> None:
    """Paint, and write."""
    PREVIEWS.mkdir(exist_ok=True)
    shown = [catalogue.get(name) for name in catalogue.here()]
    for one in shown:
        painted = Image.fromarray(engines.load(one, os.cpu_count() or 1)(scene()))
        painted.resize(SIZE, Image.Resampling.LANCZOS).save(PREVIEWS / f"{one.name}.jpg", "JPEG", quality=QUALITY)
    PAGE.write_text(page(shown))


def page(shown: list[catalogue.Filter]) -> str:
    """The page of these filters, Markdown."""
    return HEAD + "".join(_row(one) for one in shown)


def _row(one: catalogue.Filter) -> str:
    picture = f"![{one.title}](../include/filters/previews/{one.name}.jpg)"
    tags = ", ".join(one.tags)
    return (
        f"| {picture} | **{one.title}**<br>`{one.name}` | {one.sentence}<br>*{tags}*<br>{one.licence}; {one.origin} |\n"
    )


if __name__ == "__main__":
    main()
