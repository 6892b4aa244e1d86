"""Whichever test asks for it has a marketplace of its own."""

from tests.factories.marketplace_fixtures import market, sandbox

__all__ = ["market", "sandbox"]
