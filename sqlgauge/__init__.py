"""sqlgauge: text-to-SQL benchmarks with evidence.

    import sqlgauge
    folder = sqlgauge.run(model="gold", dataset="builtin", out="runs")
    sqlgauge.report([folder.path], out="site")

Importing it loads no torch, transformers, litellm or duckdb.
"""

from sqlgauge.verbs import equiv, judge, report, run, score

__all__ = ["equiv", "judge", "report", "run", "score"]
__version__ = "0.1.0"
