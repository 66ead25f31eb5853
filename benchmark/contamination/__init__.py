"""Contamination: which test items a training split holds too, to the letter, nearly, or with other literals."""

from benchmark.contamination.search import find_overlaps, items_of_test
from benchmark.contamination.texts import Item, as_items, item_digest, load_items

__all__ = ["Item", "as_items", "find_overlaps", "item_digest", "items_of_test", "load_items"]
