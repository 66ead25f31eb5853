"""The core of sqlgauge: datasets, prompts, models, extraction, metrics and the run folder.

Importing it loads no torch, transformers, litellm or duckdb; back-ends import what they need when they are opened.
The public Python API is `sqlgauge`; this package is stable only through it.
"""
