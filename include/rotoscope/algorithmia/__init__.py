"""Algorithmia's protocol as a caller speaks it: calls of algorithms, the data API, and what each failure means."""
