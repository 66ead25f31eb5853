"""Metrics: what turns a prediction into a score. `score_records` applies the chosen ones."""

from benchmark.metrics.base import DEFAULT_METRICS, REGISTRY, Record, metric_names, score_records

__all__ = ["DEFAULT_METRICS", "REGISTRY", "Record", "metric_names", "score_records"]
