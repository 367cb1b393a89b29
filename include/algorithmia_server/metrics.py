"""Metrics in Prometheus's text format, over all processes of the server."""

import os

from fastapi import APIRouter
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from algorithmia_server.registry import MODULES

CALLS = Counter("algorithmia_calls", "Calls of algorithms", ["algorithm", "outcome"])
SECONDS = Histogram("algorithmia_call_seconds", "What a call took", ["algorithm"])

router = APIRouter()


def count(path: str, outcome: str, seconds: float) -> None:
    """Count a call. What is no algorithm of ours is one more of the unknown ones."""
    name = "/".join(path.lower().removeprefix("algo:").strip("/").split("/")[:2])
    name = name if name in MODULES else "unknown"
    CALLS.labels(name, outcome).inc()
    SECONDS.labels(name).observe(seconds)


@router.get("/metrics")
def metrics() -> Response:
    """Every metric."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
