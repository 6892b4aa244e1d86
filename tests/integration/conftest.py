"""Whichever test asks for it has a marketplace of its own, or servers that it may kill."""

from tests.factories.marketplace_fixtures import market, sandbox
from tests.faults.world import killing_field

__all__ = ["killing_field", "market", "sandbox"]
