"""The account that the key belongs to."""

from sandbox import errors
from sandbox.resource import Call, Operation, Resource
from sandbox.shapes import Json, address, listing

_NOTHING_DUE: Json = {
    "alternatives": [],
    "current_deadline": None,
    "currently_due": [],
    "disabled_reason": None,
    "errors": [],
    "eventually_due": [],
    "past_due": [],
    "pending_verification": [],
}
_STATEMENT = dict.fromkeys(
    (
        "statement_descriptor",
        "statement_descriptor_kana",
        "statement_descriptor_kanji",
        "statement_descriptor_prefix_kana",
        "statement_descriptor_prefix_kanji",
    )
)
_SETTINGS = {
    "bacs_debit_payments": {"display_name": None, "service_user_number": None},
    "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
    "card_issuing": {"tos_acceptance": {"date": None, "ip": None}},
    "card_payments": {
        "decline_on": {"avs_failure": False, "cvc_failure": False},
        "statement_descriptor_prefix": None,
        "statement_descriptor_prefix_kana": None,
        "statement_descriptor_prefix_kanji": None,
    },
    "dashboard": {"display_name": "Bursar sandbox", "timezone": "Etc/UTC"},
    "invoices": {"default_account_tax_ids": None, "hosted_payment_method_save": None},
    "payments": _STATEMENT | {"statement_descriptor": "BURSAR SANDBOX"},
    "payouts": {
        "debit_negative_balances": True,
        "schedule": {"delay_days": 2, "interval": "manual"},
        "statement_descriptor": None,
    },
    "sepa_debit_payments": {},
}


def own(call: Call, _params: Json) -> Json:
    """The platform's own account."""
    return {
        "id": call.account,
        "object": "account",
        "business_profile": {
            "annual_revenue": None,
            "estimated_worker_count": None,
            "mcc": "8299",
            "minority_owned_business_designation": None,
            "name": "Bursar sandbox",
            "product_description": None,
            "support_address": address(),
            "support_email": None,
            "support_phone": None,
            "support_url": None,
            "url": None,
        },
        "business_type": "company",
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "controller": {"type": "account"},
        "country": "US",
        "created": call.store.setting("began", call.now),
        "default_currency": "usd",
        "details_submitted": True,
        "email": "sandbox@bursar.example",
        "external_accounts": listing(f"/v1/accounts/{call.account}/external_accounts", []),
        "future_requirements": _NOTHING_DUE,
        "groups": {"payments_pricing": None},
        "metadata": {},
        "payouts_enabled": True,
        "requirements": _NOTHING_DUE,
        "settings": _SETTINGS,
        "tos_acceptance": {"date": None, "ip": None, "user_agent": None},
        "type": "standard",
    }


def read(call: Call, params: Json, identifier: str) -> Json:
    """An account by id: the platform's own is the only one so far."""
    if identifier != call.account:
        raise errors.no_access(identifier)
    return own(call, params)


RESOURCE = Resource(
    "account",
    (Operation("GET", "/v1/account", own), Operation("GET", "/v1/accounts/{account}", read)),
)
