"""The pages a buyer sees: the payment page of a session, the bank's question, and their last words."""

from html import escape
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sandbox import cards
from sandbox.cards import Card, Decline
from sandbox.errors import StripeError
from sandbox.markup import notice, page
from sandbox.money import written
from sandbox.resources import checkout, payment
from sandbox.running import Sandbox
from sandbox.shapes import Json

_SHORTEST_CVC = 3
_MONTHS = 12
_HINTS = (
    ("4242 4242 4242 4242", "pays"),
    ("4000 0000 0000 0002", "is declined"),
    ("4000 0000 0000 9995", "has insufficient funds"),
    ("4000 0025 0000 3155", "asks for authentication"),
)


async def payment_page(box: Sandbox, request: Request, identifier: str) -> Response:
    """Show a session's page, or take what the buyer entered on it."""
    box.run_timers()
    session = box.store.find("checkout.session", identifier)
    if session is None:
        return page("Not found", notice("This payment page does not exist.", "Check the address."), 404)
    if request.method == "POST":
        return _pressed(box, session, await _form(request))
    return _shown(box, session, {})


async def _form(request: Request) -> dict[str, str]:
    fields = parse_qs((await request.body()).decode(errors="replace"), keep_blank_values=True)
    return {name: values[-1].strip() for name, values in fields.items()}


def _pressed(box: Sandbox, session: Json, form: dict[str, str]) -> Response:
    if session["status"] == "complete":
        return _onwards(session)
    card, problem = _card(form)
    email = _known_email(session) or form.get("email", "")
    if "@" not in email:
        problem = "Enter your email address."
    if card is None or problem:
        return _shown(box, session, form, problem=problem)
    try:
        with box.change():
            buyer = checkout.Buyer(email, form.get("name") or None)
            outcome = checkout.pay(box.call(), session["id"], card, buyer)
    except StripeError:
        return _shown(box, box.store.find("checkout.session", session["id"]) or session, form)
    if outcome.authenticate:
        return RedirectResponse(outcome.authenticate, 303)
    if outcome.decline:
        return _shown(box, outcome.session, form, problem=_words(outcome.decline))
    return _onwards(outcome.session)


def _words(decline: Decline) -> str:
    return f"{decline.message} Try another card."


def _onwards(session: Json) -> Response:
    """Back to the shop, with the session's id where the shop asked for it."""
    return RedirectResponse(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"]), 303)


def _card(form: dict[str, str]) -> tuple[Card | None, str | None]:
    """The test card of the number typed, or what is wrong with it."""
    number = "".join(form.get("card_number", "").split()).replace("-", "")
    if not cards.is_plausible(number):
        return None, "Your card number is invalid."
    if problem := _expiry_problem(form.get("expiry", "")):
        return None, problem
    if not form.get("cvc", "").isdecimal() or len(form["cvc"]) < _SHORTEST_CVC:
        return None, "Your card's security code is incomplete."
    card = cards.by_number(number)
    return card, None if card else cards.LIVE_CARD.message


def _expiry_problem(typed: str) -> str | None:
    month, _, year = (part.strip() for part in typed.partition("/"))
    if not month.isdecimal() or not year.isdecimal() or not 1 <= int(month) <= _MONTHS:
        return "Your card's expiration date is incomplete. Write it as MM / YY."
    return None


def _known_email(session: Json) -> str | None:
    details = session["customer_details"] or {}
    return session["customer_email"] or (details.get("email") if session["customer"] else None)


def _shown(box: Sandbox, session: Json, form: dict[str, str], *, problem: str | None = None) -> Response:
    if session["status"] == "complete":
        link = f'<a class="button" href="{escape(_success(session))}">Back to the shop</a>'
        return page("Paid", notice("You have already paid this.", "Nothing more will be charged.") + link)
    if session["status"] == "expired":
        return page("Expired", notice("This payment page has expired.", "Start again from the shop."), 410)
    return page("Pay", _summary(box, session) + _form_html(session, form, problem), 402 if problem else 200)


def _success(session: Json) -> str:
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def _summary(box: Sandbox, session: Json) -> str:
    rows = "".join(
        f"<li><span>{escape(item['description'])}{_times(item)}</span>"
        f"<span>{written(item['amount_total'], item['currency'])}</span></li>"
        for item in checkout.items_of(box.call(), session["id"])
    )
    total = written(session["amount_total"], session["currency"])
    return f'<section class="summary"><p>Pay Bursar sandbox</p><h1>{total}</h1><ul>{rows}</ul></section>'


def _times(item: Json) -> str:
    return f" &times; {item['quantity']}" if item["quantity"] > 1 else ""


def _form_html(session: Json, form: dict[str, str], problem: str | None) -> str:
    email = _known_email(session)
    alert = f'<p class="problem" role="alert">{escape(problem)}</p>' if problem else ""
    locked = " readonly" if email else ""
    cancel = session["cancel_url"]
    cancel_link = f'<a class="quiet" href="{escape(cancel)}">Cancel</a>' if cancel else ""
    hints = "".join(f"<li><code>{number}</code> {what}</li>" for number, what in _HINTS)
    return f"""<form method="post" novalidate>{alert}
{_field("email", "Email", email or form.get("email", ""), f'type="email" autocomplete="email"{locked}')}
{_field("card_number", "Card number", form.get("card_number", ""), 'inputmode="numeric" autofocus')}
<div class="pair">{_field("expiry", "Expiry (MM / YY)", form.get("expiry", "12 / 34"), 'inputmode="numeric"')}
{_field("cvc", "CVC", form.get("cvc", "123"), 'inputmode="numeric"')}</div>
{_field("name", "Name on card", form.get("name", ""), 'autocomplete="cc-name"')}
<button type="submit">Pay {written(session["amount_total"], session["currency"])}</button>{cancel_link}
<details><summary>Test cards</summary><ul class="hints">{hints}</ul></details></form>"""


def _field(name: str, label: str, value: str, attributes: str) -> str:
    return (
        f'<label for="{name}">{label}</label>'
        f'<input id="{name}" name="{name}" value="{escape(value)}" {attributes}>'
    )


async def authentication_page(box: Sandbox, request: Request, identifier: str) -> Response:
    """The bank's question about a payment, and the buyer's answer."""
    intent = box.store.find("payment_intent", identifier)
    if intent is None or intent["status"] != "requires_action":
        return page("Nothing to do", notice("There is nothing to authenticate.", "Go back to the shop."), 404)
    if request.method != "POST":
        return page("Authenticate", _question(intent))
    return_url = (intent["next_action"].get("redirect_to_url") or {}).get("return_url")
    with box.change():
        call = box.call()
        passed = (await _form(request)).get("answer") == "complete"
        outcome = checkout.authenticated(call, payment.known(call, identifier), passed=passed)
    if outcome is None:
        return RedirectResponse(_returned(return_url, intent), 303) if return_url else _done()
    if outcome.decline is not None:
        return _shown(box, outcome.session, {}, problem=_words(outcome.decline))
    return _onwards(outcome.session)


def _returned(url: str, intent: Json) -> str:
    joint = "&" if "?" in url else "?"
    return f"{url}{joint}payment_intent={intent['id']}&payment_intent_client_secret={intent['client_secret']}"


def _done() -> Response:
    return page("Done", notice("Your answer is recorded.", "Go back to the shop."))


def _question(intent: Json) -> str:
    amount = written(intent["amount"], intent["currency"])
    return f"""<section class="summary"><p>3D Secure test page</p><h1>{amount}</h1>
<p>Your bank asks you to confirm this payment.</p></section>
<form method="post"><button type="submit" name="answer" value="complete">Complete authentication</button>
<button type="submit" name="answer" value="fail" class="secondary">Fail authentication</button></form>"""
