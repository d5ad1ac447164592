"""The core's measures as Prometheus reads them. Only `bots` knows that library."""

from collections.abc import Mapping

import prometheus_client as prometheus
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from core.measures import COUNTERS, GAUGES, HISTOGRAMS, Counter, Gauge, Histogram

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


class PrometheusMeasures:
    """Every series is there from the start, at zero. Nothing but this program's own numbers is in it."""

    def __init__(self) -> None:
        self._registry = prometheus.CollectorRegistry()
        self._counters = {
            one: prometheus.Counter(one.name, one.meaning, one.labels, registry=self._registry) for one in COUNTERS
        }
        self._histograms = {
            one: prometheus.Histogram(one.name, one.meaning, one.labels, buckets=one.bounds, registry=self._registry)
            for one in HISTOGRAMS
        }
        self._gauges = {one: prometheus.Gauge(one.name, one.meaning, registry=self._registry) for one in GAUGES}

    def count(self, counter: Counter, *kinds: str) -> None:
        """See `Measures`."""
        counted = self._counters[counter]
        (counted.labels(*kinds) if kinds else counted).inc()

    def observe(self, histogram: Histogram, value: float, *kinds: str) -> None:
        """See `Measures`."""
        observed = self._histograms[histogram]
        (observed.labels(*kinds) if kinds else observed).observe(value)

    def text(self, looked_at: Mapping[Gauge, float]) -> bytes:
        """All of it, with what was just looked at. A gauge that could not be looked at is not a number."""
        for gauge, kept in self._gauges.items():
            kept.set(looked_at.get(gauge, float("nan")))
        return generate_latest(self._registry)
