"""Reports: run folders in, a leaderboard out (a page, Markdown, CSV, JSON, Parquet, files for the Hub, badges).

Promises: the same runs give the same bytes; a figure that cannot be had is NaN and shown as a dash, never as 0; text
that came from a model or a dataset is escaped wherever it is shown.
Does not: compute scores.
"""
