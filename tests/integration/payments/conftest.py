"""Endpoints served on loopback, as the product's server serves them."""

from tests.listening import listen

__all__ = ["listen"]
