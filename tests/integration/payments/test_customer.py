"""Each of our people is known to the processor once, and keeps their cards there."""

from functools import partial

from sqlalchemy import select

from services.identity.tables import UserAccount
from services.payments import customer
from services.payments.tables import StripeCustomer
from tests.contenders import at_once
from tests.factories.marketplace import TEST, VISA, Market, person_of


def known(market: Market) -> list[str]:
    """The customers that we know of."""
    with market.works.begin(TEST) as work:
        return list(work.run(select(StripeCustomer.stripe_customer_id)).scalars())


def test_a_person_becomes_a_customer_once_even_eight_times_at_once(market: Market) -> None:
    for _ in range(5):
        buyer = market.person()
        ensure = partial(customer.ensure, market.works, market.gateway, actor=buyer, user=person_of(buyer))
        names = at_once([ensure] * 8)
        assert len(set(names)) == 1, names
        made = market.sandbox.get(f"/v1/customers/{names[0]}")
        assert made["metadata"] == {"user": str(buyer.user_id)}
        ours = [each["id"] for each in market.sandbox.get("/v1/customers", {"email": made["email"]})["data"]]
        assert ours == [names[0]]
    assert len(known(market)) == 5


def test_a_customer_that_was_made_and_not_written_down_is_found_again(market: Market) -> None:
    buyer = market.person()
    with market.works.begin(TEST) as work:
        email = work.run(select(UserAccount.email).where(UserAccount.user_id == buyer.user_id)).scalar_one()
    lost = market.gateway.make_customer(
        user=person_of(buyer), email=email, name=buyer.name, key=f"customer:{buyer.user_id}"
    )
    assert known(market) == []
    found = customer.ensure(market.works, market.gateway, actor=buyer, user=person_of(buyer))
    assert known(market) == [found] == [lost]


def test_nobody_has_cards_before_they_are_known(market: Market) -> None:
    buyer = market.person()
    assert customer.saved_cards(market.works, market.gateway, actor=buyer) == []
    assert customer.saved_cards(market.works, market.gateway, actor=TEST) == []
    market.buy(buyer, market.course(market.teacher()), card=VISA)
    assert customer.saved_cards(market.works, market.gateway, actor=market.person()) == []
