"""Stripe's test cards: how each behaves, found by payment method token, card token or number."""

from dataclasses import dataclass
from enum import StrEnum


class Authentication(StrEnum):
    """When a card's bank asks the buyer to authenticate."""

    NEVER = "never"
    ALWAYS = "always"
    UNLESS_SET_UP = "unless_set_up"
    ON_SESSION = "on_session"


@dataclass(frozen=True)
class Decline:
    """A bank's refusal, in Stripe's words."""

    code: str
    decline_code: str
    message: str
    blocked: bool = False


@dataclass(frozen=True)
class Card:
    """One test card."""

    name: str
    number: str
    brand: str = "visa"
    funding: str = "credit"
    country: str = "US"
    decline: Decline | None = None
    attaches: bool = True
    authentication: Authentication = Authentication.NEVER
    bypasses_pending: bool = False
    refund: str = "succeeds"

    @property
    def last4(self) -> str:
        """The last four digits."""
        return self.number[-4:]


GENERIC = Decline("card_declined", "generic_decline", "Your card was declined.")
INSUFFICIENT_FUNDS = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
LOST = Decline("card_declined", "lost_card", "Your card was declined.")
STOLEN = Decline("card_declined", "stolen_card", "Your card was declined.")
EXPIRED = Decline("expired_card", "expired_card", "Your card has expired.")
INCORRECT_CVC = Decline("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.")
PROCESSING_ERROR = Decline(
    "processing_error",
    "processing_error",
    "An error occurred while processing your card. Try again in a little bit.",
)
VELOCITY = Decline(
    "card_declined",
    "card_velocity_exceeded",
    "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
)
FRAUDULENT = Decline("card_declined", "fraudulent", "Your card was declined.", blocked=True)
AUTHENTICATION_REQUIRED = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)
LIVE_CARD = Decline(
    "card_declined",
    "test_mode_live_card",
    "Your card was declined. Your request was in test mode, but used a non test card. "
    "For a list of valid test cards, visit: https://stripe.com/docs/testing.",
)
AUTHENTICATION_FAILED = Decline(
    "payment_intent_authentication_failure",
    "authentication_required",
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new "
    "PaymentMethod to attempt to fulfill this PaymentIntent again.",
)


def _declined(name: str, number: str, decline: Decline) -> Card:
    return Card(name, number, decline=decline, attaches=False)


CARDS = (
    Card("visa", "4242424242424242"),
    Card("visa_debit", "4000056655665556", funding="debit"),
    Card("mastercard", "5555555555554444", brand="mastercard"),
    Card("mastercard_debit", "5200828282828210", brand="mastercard", funding="debit"),
    Card("amex", "378282246310005", brand="amex"),
    Card("discover", "6011111111111117", brand="discover"),
    Card("gb", "4000008260000000", country="GB"),
    Card("de", "4000002760000016", country="DE"),
    _declined("chargeDeclined", "4000000000000002", GENERIC),
    _declined("chargeDeclinedInsufficientFunds", "4000000000009995", INSUFFICIENT_FUNDS),
    _declined("chargeDeclinedLostCard", "4000000000009987", LOST),
    _declined("chargeDeclinedStolenCard", "4000000000009979", STOLEN),
    _declined("chargeDeclinedExpiredCard", "4000000000000069", EXPIRED),
    _declined("chargeDeclinedIncorrectCvc", "4000000000000127", INCORRECT_CVC),
    _declined("chargeDeclinedProcessingError", "4000000000000119", PROCESSING_ERROR),
    _declined("chargeDeclinedVelocityLimitExceeded", "4000000000006975", VELOCITY),
    _declined("chargeDeclinedFraudulent", "4100000000000019", FRAUDULENT),
    Card("radarBlock", "4000000000004954", decline=FRAUDULENT),
    Card("chargeCustomerFail", "4000000000000341", decline=GENERIC),
    Card("authenticationRequired", "4000002760003184", authentication=Authentication.ALWAYS),
    Card("authenticationRequiredOnSetup", "4000002500003155", authentication=Authentication.UNLESS_SET_UP),
    Card(
        "authenticationRequiredSetupForOffSession",
        "4000003800000446",
        authentication=Authentication.ON_SESSION,
    ),
    Card(
        "authenticationRequiredChargeDeclinedInsufficientFunds",
        "4000008260003178",
        authentication=Authentication.ALWAYS,
        decline=INSUFFICIENT_FUNDS,
    ),
    Card("threeDSecure2Required", "4000000000003220", authentication=Authentication.ALWAYS),
    Card(
        "threeDSecureRequiredChargeDeclined",
        "4000008400001629",
        authentication=Authentication.ALWAYS,
        decline=GENERIC,
    ),
    Card("threeDSecureOptional", "4000000000003055"),
    Card("bypassPending", "4000000000000077", bypasses_pending=True),
    Card("createDispute", "4000000000000259"),
    Card("refundFail", "4000000000005126", refund="fails"),
    Card("pendingRefund", "4000000000007726", refund="pends"),
)
_BY_NAME = {card.name: card for card in CARDS}
_BY_NUMBER = {card.number: card for card in CARDS}


def by_name(name: str) -> Card:
    """The card that a stored payment method names."""
    return _BY_NAME[name]


def by_token(token: str, prefix: str) -> Card | None:
    """The card of a test token such as `pm_card_visa` (prefix `pm_card_`) or `tok_visa` (prefix `tok_`)."""
    if not token.startswith(prefix):
        return None
    name = token.removeprefix(prefix)
    return _BY_NAME.get(name) or _BY_NAME.get(name.removeprefix("visa_"))


def by_number(number: str) -> Card | None:
    """The test card of that number, digits only."""
    return _BY_NUMBER.get(number)


def is_plausible(number: str) -> bool:
    """Whether a number has a card's length and a right check digit."""
    shortest, longest = 12, 19
    if not number.isdecimal() or not shortest <= len(number) <= longest:
        return False
    digits = [int(digit) for digit in reversed(number)]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
