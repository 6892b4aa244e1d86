"""Whatever is charged, captured, refunded or declined, the balance is the sum of its transactions."""

import tempfile
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import stripe
from hypothesis import settings
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.integration.sandbox.conftest import client_of
from tests.sandboxed import SandboxProcess, start_sandbox

CARDS = st.sampled_from(["visa", "bypassPending", "chargeDeclined", "refundFail", "pendingRefund"])
AMOUNTS = st.integers(min_value=50, max_value=200_000)
CURRENCIES = st.sampled_from(["usd", "eur"])


def fee(amount: int) -> int:
    """2.9 % and 30, rounded half up, worked out another way than the sandbox does."""
    return int(amount * 0.029 + 30 + 0.5 + 1e-9)


class Money(RuleBasedStateMachine):
    """A model of what the account must hold, beside the sandbox."""

    held = Bundle("held")
    paid = Bundle("paid")
    sandbox: SandboxProcess

    def __init__(self) -> None:
        super().__init__()
        self.sandbox.control("POST", "/_control/reset")
        self.sandbox.control("POST", "/_control/clock", {"at": 1_900_000_000})
        self.client = client_of(self.sandbox)
        self.expected: dict[str, int] = {}

    def _moved(self, currency: str, amount: int) -> None:
        self.expected[currency] = self.expected.get(currency, 0) + amount

    @rule(target=paid, amount=AMOUNTS, currency=CURRENCIES, card=CARDS)
    def pay(self, amount: int, currency: str, card: str) -> tuple[str, str, str] | None:
        """Charge a card; a declined one moves nothing."""
        asked: Any = {
            "amount": amount,
            "currency": currency,
            "payment_method": f"pm_card_{card}",
            "confirm": True,
        }
        try:
            made = self.client.v1.payment_intents.create(asked)
        except stripe.CardError:
            return None
        self._moved(currency, amount - fee(amount))
        return made.id, currency, card

    @rule(target=held, amount=AMOUNTS, currency=CURRENCIES)
    def authorise(self, amount: int, currency: str) -> tuple[str, str, int]:
        """Hold money without moving it."""
        asked: Any = {
            "amount": amount,
            "currency": currency,
            "payment_method": "pm_card_visa",
            "confirm": True,
        }
        made = self.client.v1.payment_intents.create(asked | {"capture_method": "manual"})
        return made.id, currency, amount

    @rule(target=paid, held=consumes(held), part=st.floats(min_value=0.01, max_value=1))
    def capture(self, held: tuple[str, str, int], part: float) -> tuple[str, str, str]:
        """Take some of what is held."""
        intent, currency, amount = held
        taken = max(1, int(amount * part))
        self.client.v1.payment_intents.capture(intent, {"amount_to_capture": taken})
        self._moved(currency, taken - fee(taken))
        return intent, currency, "visa"

    @rule(held=consumes(held))
    def release(self, held: tuple[str, str, int]) -> None:
        """Give what is held up."""
        self.client.v1.payment_intents.cancel(held[0])

    @rule(paid=paid, amount=st.integers(min_value=1, max_value=120_000))
    def refund(self, paid: tuple[str, str, str] | None, amount: int) -> None:
        """Pay some of it back, if that much is left; a failing refund returns later."""
        if paid is None:
            return
        intent, currency, card = paid
        asked: Any = {"payment_intent": intent, "amount": amount}
        try:
            self.client.v1.refunds.create(asked)
        except stripe.InvalidRequestError:
            return
        self._moved(currency, -amount)
        if card == "refundFail":
            self.sandbox.control("POST", "/_control/clock", {"advance": 10})
            self._moved(currency, amount)

    @rule(seconds=st.integers(min_value=1, max_value=100_000))
    def wait(self, seconds: int) -> None:
        """Let time pass; what is authorised may lapse, what is pending becomes available."""
        self.sandbox.control("POST", "/_control/clock", {"advance": min(seconds, 60)})

    @invariant()
    def the_balance_is_the_sum(self) -> None:
        """Available and pending together are what moved, and what the transactions add up to."""
        balance = self.sandbox.get("/v1/balance")
        shown: dict[str, int] = {}
        for part in [*balance["available"], *balance["pending"]]:
            shown[part["currency"]] = shown.get(part["currency"], 0) + part["amount"]
        added: dict[str, int] = {}
        for one in self.client.v1.balance_transactions.list({"limit": 100}).auto_paging_iter():
            assert one.net == one.amount - one.fee
            added[one.currency] = added.get(one.currency, 0) + one.net
        assert {code: amount for code, amount in shown.items() if amount or code in added} == added
        assert added == self.expected


def test_the_balance_is_always_the_sum_of_its_transactions() -> None:
    with tempfile.TemporaryDirectory() as folder, start_sandbox(Path(folder)) as running:
        Money.sandbox = running
        limits = settings(max_examples=25, stateful_step_count=20, deadline=None)
        run_state_machine_as_test(Money, settings=limits)
