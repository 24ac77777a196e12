"""Counts and latencies of the HTTP service, for Prometheus."""

from __future__ import annotations

import prometheus_client
from prometheus_client import exposition

# Upper bounds in seconds, from an encoding to hundreds of importance samples.
_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)

UNKNOWN = "unknown"
"""The endpoint of requests that name none, or one that there is not: labels must not grow with what clients send."""


class Metrics:
    """Requests by endpoint and HTTP status, their latency by endpoint, and the load of the process.

    Each application has a registry of its own, so that several may live in one process.
    """

    def __init__(self) -> None:
        self._registry = prometheus_client.CollectorRegistry()
        self._requests = prometheus_client.Counter(
            "tf_vmf_requests",
            "Answered requests by endpoint and HTTP status; all but status 200 are errors.",
            ["endpoint", "status"],
            registry=self._registry,
        )
        self._seconds = prometheus_client.Histogram(
            "tf_vmf_request_seconds",
            "Time from the arrival of a request to its answer, by endpoint.",
            ["endpoint"],
            registry=self._registry,
            buckets=_BUCKETS,
        )
        self.in_progress = prometheus_client.Gauge(
            "tf_vmf_requests_in_progress", "Requests that are not answered yet.", registry=self._registry
        )
        prometheus_client.ProcessCollector(registry=self._registry)

    def record(self, endpoint: str, status: int, seconds: float) -> None:
        """Counts an answered request."""
        self._requests.labels(endpoint, str(status)).inc()
        self._seconds.labels(endpoint).observe(seconds)

    def exposed(self, accept: str) -> tuple[bytes, str]:
        """All metrics as text and its content type, in the format that the header Accept asks for."""
        encode, content_type = exposition.choose_encoder(accept)
        return encode(self._registry), content_type
