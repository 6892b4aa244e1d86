"""Pieces of Stripe objects that several resources share."""

from typing import Any

Json = dict[str, Any]

ADDRESS_FIELDS = ("city", "country", "line1", "line2", "postal_code", "state")


def address(given: Json | None = None) -> Json:
    """An address with every line, null where nothing was given."""
    return dict.fromkeys(ADDRESS_FIELDS) | (given or {})


def billing_details(given: Json | None = None) -> Json:
    """Billing details with every field, null where nothing was given."""
    blank = {"address": None, "email": None, "name": None, "phone": None, "tax_id": None}
    known = blank | (given or {})
    return known | {"address": address(known["address"])}


def shipping(given: Json | None) -> Json | None:
    """A shipping hash with every field, or null when there is none."""
    if given is None:
        return None
    blank = {"address": None, "carrier": None, "name": None, "phone": None, "tracking_number": None}
    known = blank | given
    return known | {"address": address(known["address"])}


def merged_metadata(present: Json, change: Json | None) -> Json:
    """Metadata after an update: keys are added or replaced, an empty value removes, None clears all."""
    if change is None:
        return {}
    return {key: value for key, value in (present | change).items() if value != ""}


def listing(url: str, data: list[Json], *, has_more: bool = False) -> Json:
    """A list object."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}
