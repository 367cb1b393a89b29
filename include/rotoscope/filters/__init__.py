"""Filters: the catalogue of them, and how one is laid over a frame."""
