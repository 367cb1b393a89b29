"""Rates: requests a minute that a plan allows, counted for each tenant over a moving window."""

import os
import time

from fastapi import Request
from limits import RateLimitItemPerMinute
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter

from rotoscope.access.plans import Plan
from rotoscope_api.problems import Problem

STORAGE = "ROTOSCOPE_RATE_STORAGE"
"""Where counts are kept: each server counts for itself, unless this names a Redis, such as redis://127.0.0.1:6379/1."""


class Rates:
    """Counts requests."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(storage_from_string(os.environ.get(STORAGE, "memory://")))

    def count(self, request: Request, tenant: str, plan: Plan) -> None:
        """Count a request, and let its answer say what is left. Raises Problem if nothing is."""
        limit = plan.limit("requests")
        if limit is None:
            return
        item = RateLimitItemPerMinute(limit)
        within = self._limiter.hit(item, tenant)
        stats = self._limiter.get_window_stats(item, tenant)
        reset = max(1, round(stats.reset_time - time.time()))
        request.state.headers["RateLimit-Policy"] = f'"requests";q={limit};w=60'
        request.state.headers["RateLimit"] = f'"requests";r={stats.remaining};t={reset}'
        if not within:
            detail = f"The plan {plan.name} has {limit} requests a minute; the next one may come in {reset} s."
            raise Problem("too-many-requests", detail, {"Retry-After": str(reset)})
