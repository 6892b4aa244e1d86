"""Customers: created, read, updated, deleted, listed and searched."""

from sandbox import errors
from sandbox.announce import announce, save
from sandbox.ids import fresh, token
from sandbox.pagination import PAGE_CREATED, Condition, page
from sandbox.parameters import (
    ADDRESS,
    SHIPPING,
    Fields,
    choice,
    clearable,
    group,
    integer,
    many,
    metadata,
    required,
    text,
)
from sandbox.resource import Call, Operation, Resource
from sandbox.resources import payment_methods
from sandbox.search import matching
from sandbox.shapes import Json, address, merged_metadata, shipping

_UPDATE: Fields = {
    "address": clearable(ADDRESS),
    "balance": integer(-99_999_999),
    "description": clearable(text(350)),
    "email": clearable(text(512)),
    "invoice_prefix": text(12),
    "invoice_settings": group({"default_payment_method": clearable(text()), "footer": clearable(text())}),
    "metadata": metadata(),
    "name": clearable(text(256)),
    "next_invoice_sequence": integer(1),
    "phone": clearable(text(20)),
    "preferred_locales": many(text()),
    "shipping": clearable(SHIPPING),
    "tax_exempt": clearable(choice("exempt", "none", "reverse")),
}
_CREATE: Fields = {**_UPDATE, "payment_method": text()}
_LIST: Fields = {**PAGE_CREATED, "email": text()}
_SEARCH: Fields = {"query": required(text()), "limit": integer(1, 100), "page": text()}


def blank(call: Call) -> Json:
    """A customer of whom nothing is known."""
    return {
        "id": fresh("cus"),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": call.now,
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": token(8).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }


def create(call: Call, params: Json) -> Json:
    """Make a customer, with a payment method attached if one is given."""
    params = dict(params)
    method = params.pop("payment_method", None)
    customer = call.store.insert(_changed(call, blank(call), params))
    announce(call, "customer.created", customer)
    if method:
        payment_methods.attach(call, {"customer": customer["id"]}, method)
    return customer


def known(call: Call, identifier: str, *, param: str = "customer") -> Json:
    """The customer that a parameter names; refused when it was never made or is deleted."""
    found = call.store.find("customer", identifier)
    if found is None or found.get("deleted"):
        raise errors.no_such("customer", identifier, param=param)
    return found


def read(call: Call, _params: Json, identifier: str) -> Json:
    """One customer; a deleted one answers with its stub."""
    found = call.store.find("customer", identifier)
    if found is None:
        raise errors.no_such("customer", identifier)
    return found


def update(call: Call, params: Json, identifier: str) -> Json:
    """Change a customer."""
    before = known(call, identifier, param="id")
    return save(call, before, _changed(call, before, params), "customer.updated")


def delete(call: Call, _params: Json, identifier: str) -> Json:
    """Delete a customer; its payment methods are detached."""
    before = known(call, identifier, param="id")
    for method in payment_methods.of_customer(call, identifier):
        payment_methods.detach(call, {}, method["id"])
    stub = {"id": identifier, "object": "customer", "deleted": True}
    call.store.replace(stub)
    announce(call, "customer.deleted", before)
    return stub


def listed(call: Call, params: Json) -> Json:
    """Customers, newest first."""
    condition = Condition("customer")
    condition.add("json_extract(body, '$.deleted') IS NULL")
    condition.equals(params, "email")
    return page(call.store, "/v1/customers", params, condition)


def search(call: Call, params: Json) -> Json:
    """Customers that fit a search query."""
    living = [customer for customer in call.store.objects("customer") if not customer.get("deleted")]
    found = matching(living[::-1], params["query"])
    limit = params.get("limit", 10)
    start = int(params.get("page", "0"))
    more = len(found) > start + limit
    return {
        "object": "search_result",
        "data": found[start : start + limit],
        "has_more": more,
        "next_page": str(start + limit) if more else None,
        "url": "/v1/customers/search",
    }


def _changed(call: Call, customer: Json, params: Json) -> Json:
    after = customer | params
    if "metadata" in params:
        after["metadata"] = merged_metadata(customer["metadata"], params["metadata"])
    if params.get("address"):
        after["address"] = address(params["address"])
    if "shipping" in params:
        after["shipping"] = shipping(params["shipping"])
    if "invoice_settings" in params:
        after["invoice_settings"] = customer["invoice_settings"] | params["invoice_settings"]
        if chosen := params["invoice_settings"].get("default_payment_method"):
            payment_methods.of(call, chosen, customer=customer["id"])
    return after


RESOURCE = Resource(
    "customer",
    (
        Operation("POST", "/v1/customers", create, _CREATE),
        Operation("GET", "/v1/customers", listed, _LIST),
        Operation("GET", "/v1/customers/search", search, _SEARCH),
        Operation("GET", "/v1/customers/{customer}", read),
        Operation("POST", "/v1/customers/{customer}", update, _UPDATE),
        Operation("DELETE", "/v1/customers/{customer}", delete),
    ),
    expandable=frozenset({"default_source", "invoice_settings.default_payment_method", "test_clock"}),
)
