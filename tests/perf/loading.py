"""Seconds and memory of loading gretel-format rows from Parquet, the fingerprint included.

    python tests/perf/loading.py [--rows 100000] [--limit-seconds 5 --limit-mib 600]

The file has all eleven columns of gretelai/synthetic_text_to_sql, with texts as long as that dataset's and no two
contexts alike. It is loaded in a process of its own; the seconds are those from before the import of sqlgauge to the
fingerprint, and the peak is that process's VmHWM. Exit code 1 if a limit is passed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MEASURE = """
import sys, time
started = time.perf_counter()
from benchmark.datasets import load_dataset
dataset = load_dataset("gretel:" + sys.argv[1], "train")
loaded = time.perf_counter() - started
fingerprint = dataset.fingerprint
seconds = time.perf_counter() - started
lines = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
print(len(dataset.examples), loaded, seconds, int(lines["VmHWM"].split()[0]) / 1024, fingerprint)
"""
#: Characters: about 130 a question, 430 a context, 150 a gold, 230 an explanation; a tenth of the contexts is long.
ROWS = """
COPY (
    SELECT
        i AS id,
        'domain ' || i % 100 AS domain,
        'What the domain ' || i % 100 || ' is about: ' || repeat('records of its people and places, ', 4)
            AS domain_description,
        ['basic SQL', 'single join', 'aggregation', 'window functions'][i % 4 + 1] AS sql_complexity,
        repeat('what such a query looks like ', 3) AS sql_complexity_description,
        ['analytics and reporting', 'data retrieval', 'data manipulation'][i % 3 + 1] AS sql_task_type,
        repeat('what such a task is ', 4) AS sql_task_type_description,
        'How many of the places numbered ' || i || ' had more visitors than '
            || repeat('those of the region beside it ', 2 + i % 3) || 'in each year?' AS sql_prompt,
        'CREATE TABLE places_' || i || ' (id INT PRIMARY KEY, name VARCHAR(50), region VARCHAR(50), visitors INT); '
            || 'INSERT INTO places_' || i || ' (id, name, region, visitors) VALUES (1, ''North ' || i || ''', ''A'', 7)'
            || repeat(', (2, ''some other place'', ''B'', ' || i || ')', CASE WHEN i % 10 = 0 THEN 40 ELSE 5 END)
            || ';' AS sql_context,
        'SELECT region, COUNT(*) AS n FROM places_' || i || ' WHERE visitors > ' || i
            || repeat(' AND name <> ''nowhere''', 1 + i % 5) || ' GROUP BY region ORDER BY n DESC;' AS sql,
        repeat('Counts the places of each region that had more visitors, ', 4) AS sql_explanation
    FROM range({rows}) AS numbers(i)
) TO '{path}' (FORMAT parquet)
"""


def main() -> int:
    import duckdb

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--limit-seconds", type=float, default=5.0)
    parser.add_argument("--limit-mib", type=float, default=600.0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sqlgauge-perf-") as name:
        path = Path(name, "rows.parquet")
        duckdb.sql(ROWS.format(rows=args.rows, path=path))
        started = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True)
        whole = time.perf_counter() - started
        size = path.stat().st_size / 2**20
    rows, loaded, seconds, mib, fingerprint = done.stdout.split()
    print(
        f"{rows} rows of {size:.0f} MiB: loaded in {float(loaded):.2f} s, with the fingerprint {float(seconds):.2f} s"
    )
    print(f"{whole:.2f} s with the start of the process; peak {float(mib):.0f} MiB (VmHWM); {fingerprint[:23]}...")
    return int(float(seconds) > args.limit_seconds or float(mib) > args.limit_mib or int(rows) != args.rows)


if __name__ == "__main__":
    sys.exit(main())
