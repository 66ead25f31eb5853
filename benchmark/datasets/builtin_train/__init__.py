"""The train split of builtin: 2,000 items made from hand-curated parts, for fine-tuning a small model.

Promises: the same rows on every machine; no domain, table, question or gold of the test split.
Does not: measure anything; golds are right for their questions, but their wording is drawn from patterns.
"""

from benchmark.datasets.builtin_train.plan import train_rows

__all__ = ["train_rows"]
