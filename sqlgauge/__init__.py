"""sqlgauge: text-to-SQL benchmarks with evidence.

    import sqlgauge
    folder = sqlgauge.run(model="gold", dataset="builtin", out="runs")
    sqlgauge.report([folder.path], out="site")
    sqlgauge.evaluate("builtin/smollm2-135m", "builtin", limit=20).accuracy

Importing it loads no torch, transformers, litellm or duckdb.
"""

from sqlgauge.evaluation import Evaluation, benchmark_callback, evaluate
from sqlgauge.verbs import equiv, judge, report, run, score

__all__ = ["Evaluation", "benchmark_callback", "equiv", "evaluate", "judge", "report", "run", "score"]
__version__ = "0.1.0"
