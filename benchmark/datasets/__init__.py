"""Datasets: where test splits come from. `load_dataset` turns a spec string into Examples."""

from benchmark.datasets.base import Dataset, load_dataset, select

__all__ = ["Dataset", "load_dataset", "select"]
