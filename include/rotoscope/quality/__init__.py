"""Quality: what a result lost or gained against its source, in numbers."""
