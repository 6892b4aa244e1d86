"""How the processor knows one of our people."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from services.identity.tables import UserAccount
from services.kernel.actor import Actor
from services.kernel.ids import UserId
from services.payments.tables import StripeCustomer
from services.runtime.work import Work, Works
from services.stripe.facts import Card
from services.stripe.gateway import Gateway


def ensure(works: Works, gateway: Gateway, *, actor: Actor, user: UserId) -> str:
    """The processor's id of a person, made there when it does not exist yet."""
    with works.begin(actor) as work:
        known = _known(work, user)
        person = work.run(
            select(UserAccount.email, UserAccount.name).where(UserAccount.user_id == user)
        ).one()
    if known:
        return known
    made = gateway.make_customer(user=user, email=person.email, name=person.name, key=f"customer:{user}")
    with works.begin(actor) as work:
        work.run(
            insert(StripeCustomer)
            .values(user_id=user, stripe_customer_id=made, created_at=work.now)
            .on_conflict_do_nothing()
        )
    return made


def saved_cards(works: Works, gateway: Gateway, *, actor: Actor) -> list[Card]:
    """The cards that the actor may pay with without typing them again."""
    if actor.user_id is None:
        return []
    with works.begin(actor) as work:
        known = _known(work, actor.user_id)
    return gateway.cards(known) if known else []


def _known(work: Work, user: UserId) -> str | None:
    return work.run(
        select(StripeCustomer.stripe_customer_id).where(StripeCustomer.user_id == user)
    ).scalar_one_or_none()
