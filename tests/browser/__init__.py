"""A package, so that its one browser ends with its last test: the driver's event loop would be in the way of others."""
