"""Batches: many rotoscopes from one manifest, checked before anything starts, and reported when all is over."""
