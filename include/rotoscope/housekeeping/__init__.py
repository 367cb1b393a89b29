"""Housekeeping: what a store keeps for how long, what may go, and letting it go."""
