"""Prices and their products, so far only those made in passing by `price_data` of a Checkout Session."""

from sandbox import errors
from sandbox.announce import announce
from sandbox.ids import fresh
from sandbox.parameters import (
    Fields,
    choice,
    clearable,
    currency,
    group,
    integer,
    many,
    metadata,
    required,
    text,
)
from sandbox.resource import Call, Operation, Resource
from sandbox.shapes import Json, merged_metadata

_PRODUCT_DATA: Fields = {
    "description": clearable(text(40_000)),
    "images": many(text()),
    "metadata": metadata(),
    "name": required(text(1_500)),
    "unit_label": text(12),
}
PRICE_DATA: Fields = {
    "currency": required(currency()),
    "product": text(),
    "product_data": group(_PRODUCT_DATA),
    "tax_behavior": choice("exclusive", "inclusive", "unspecified"),
    "unit_amount": integer(),
}


def inline(call: Call, data: Json, param: str) -> tuple[Json, Json]:
    """The price that `price_data` describes, and its product; neither is active for later use."""
    if "unit_amount" not in data:
        raise errors.missing(f"{param}[unit_amount]")
    product = _product(call, data, param)
    price: Json = {
        "id": fresh("price"),
        "object": "price",
        "active": False,
        "billing_scheme": "per_unit",
        "created": call.now,
        "currency": data["currency"],
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": product["id"],
        "recurring": None,
        "tax_behavior": data.get("tax_behavior", "unspecified"),
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "one_time",
        "unit_amount": data["unit_amount"],
        "unit_amount_decimal": str(data["unit_amount"]),
    }
    return call.store.insert(price), product


def _product(call: Call, data: Json, param: str) -> Json:
    if "product" in data:
        found = call.store.find("product", data["product"])
        if found is None:
            raise errors.no_such("product", data["product"], param=f"{param}[product]")
        return found
    if "product_data" not in data:
        raise errors.missing(f"{param}[product_data]")
    given = data["product_data"]
    product: Json = {
        "id": fresh("prod"),
        "object": "product",
        "active": False,
        "created": call.now,
        "default_price": None,
        "description": given.get("description"),
        "images": given.get("images", []),
        "livemode": False,
        "marketing_features": [],
        "metadata": merged_metadata({}, given.get("metadata") or {}),
        "name": given["name"],
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "tax_details": None,
        "type": "service",
        "unit_label": given.get("unit_label"),
        "updated": call.now,
        "url": None,
    }
    call.store.insert(product)
    announce(call, "product.created", product)
    return product


def read(call: Call, _params: Json, identifier: str) -> Json:
    """One price."""
    found = call.store.find("price", identifier)
    if found is None:
        raise errors.no_such("price", identifier)
    return found


def read_product(call: Call, _params: Json, identifier: str) -> Json:
    """One product."""
    found = call.store.find("product", identifier)
    if found is None:
        raise errors.no_such("product", identifier)
    return found


RESOURCE = Resource(
    "price",
    (
        Operation("GET", "/v1/prices/{price}", read),
        Operation("GET", "/v1/products/{product}", read_product),
    ),
    expandable=frozenset({"product"}),
)
