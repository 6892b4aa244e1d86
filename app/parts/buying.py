"""The way to a course: its price, and the window before money moves."""

from collections.abc import Callable

import streamlit as st

from app import navigation, till
from app.parts import frame, live, shelf
from app.perform import Outcome, perform
from app.wording import markup, moment, money, plain, t
from services.kernel.ids import CourseId
from services.marketplace import purchase, quote
from services.marketplace.browse import Sheet
from services.marketplace.quote import Offer


def panel(sheet: Sheet) -> None:
    """The price and the one thing to do next."""
    card = sheet.card
    st.html(f'<div class="b-price b-large">{markup(shelf.price(card.price))}</div>')
    if card.stands == "owned":
        st.badge(t("You have this course"), icon=":material/check:", color="green")
        st.page_link(navigation.PAGES / "my_learning.py", label=t("Open under My learning"))
    elif sheet.teaches:
        st.html(f'<div class="b-sub">{t("You teach this course.")}</div>')
    elif card.price:
        _offer(sheet, t("Buy for {price}", price=money(card.price)), _pay)
        st.html(f'<div class="b-sub">{t("30 days to change your mind. Yours to keep after that.")}</div>')
    else:
        _offer(sheet, t("Enrol for free"), _enrol)


def _offer(sheet: Sheet, label: str, window: Callable[[Sheet], None]) -> None:
    if sheet.card.stands == "pending":
        st.badge(t("Payment pending"), icon=":material/schedule:", color="orange")
        label = t("Continue to payment")
    if st.button(plain(label), type="primary", icon=":material/shopping_cart:", width="stretch", key="buy"):
        window(sheet)


def _pay(sheet: Sheet) -> None:
    """The window before the payment page; it holds the price from the moment it opens."""
    made = perform(quote.make, course=sheet.card.course_id)
    offer = made.value
    if not isinstance(offer, Offer):
        st.warning(plain(made.words), icon=":material/info:")
        return

    live.hold()

    @st.dialog(t("Buy this course"), on_dismiss="rerun")
    def window() -> None:
        st.markdown(
            t("You pay **{price}** for {title}.", price=plain(money(offer.total)), title=plain(offer.title))
        )
        st.markdown(
            t(
                "The card is entered on the payment page of Stripe. The price is held until {until}. "
                "You can give the course back within 30 days and get the full price back.",
                until=plain(moment(offer.expires_at)),
            )
        )
        not_now, onward = st.columns(2)
        with not_now:
            if st.button(t("Not now"), key="window_keep", width="stretch"):
                st.rerun()
        with onward:
            pay = t("Pay {price}", price=money(offer.total))
            st.html(f'<a class="b-button" href="{markup(till.address(offer))}">{markup(pay)}</a>')

    window()


def _enrol(sheet: Sheet) -> None:
    outcome = enrol(sheet.card.course_id)
    if outcome.is_done:
        frame.note(t("You are enrolled"))
        st.switch_page(navigation.PAGES / "my_learning.py")
    st.warning(plain(outcome.words), icon=":material/info:")


def enrol(course: CourseId) -> Outcome:
    """Take a course that costs nothing."""
    made = perform(quote.make, course=course)
    offer = made.value
    if not isinstance(offer, Offer):
        return made
    return perform(
        purchase.begin,
        quote=offer.quote_id,
        amount=offer.total,
        key=f"quote:{offer.quote_id}",
        success_url="",
        cancel_url="",
    )
