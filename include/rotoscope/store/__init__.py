"""Where videos, painted chunks and results live."""
