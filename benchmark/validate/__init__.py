"""Gold health: does every gold run, return something, and tell anything? `check_examples` says so, item by item."""

from benchmark.health import Health, excluded, healthy_share
from benchmark.validate.items import check_examples
from benchmark.validate.kept import health_of

__all__ = ["Health", "check_examples", "excluded", "health_of", "healthy_share"]
