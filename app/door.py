"""Signing in and out: plain HTML, so that password managers work and no password crosses the socket."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import parse_qs

import anyio
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from app import origin, session_cookie
from app.wording import ROLE_NAMES, t
from services.identity import signin
from services.identity.demo_people import DEMO_PASSWORD, DemoPerson
from services.kernel.actor import system
from services.kernel.errors import Forbidden, Refusal
from services.runtime.work import Works

LARGEST_FORM = 8_192
_PAGE = Template((Path(__file__).parent / "door.html").read_text(encoding="utf-8"))
_DOOR = system("door")


@dataclass(frozen=True, slots=True)
class Door:
    """The two addresses at which people come in and leave."""

    works: Works
    demo: Sequence[DemoPerson] = ()

    def routes(self) -> list[Route]:
        """The routes of the door."""
        return [
            Route("/login", self.form, methods=["GET"]),
            Route("/login", self.enter, methods=["POST"]),
            Route("/logout", self.ask_or_leave, methods=["GET"]),
            Route("/logout", self.leave, methods=["POST"]),
        ]

    async def form(self, request: Request) -> Response:
        """The sign-in form."""
        return self._form(origin.own_path(request.query_params.get("next", "/")))

    async def enter(self, request: Request) -> Response:
        """Check the form and open a session, or show the form again with the reason."""
        if origin.is_foreign(request.scope):
            return HTMLResponse(t("Requests of other sites are refused."), 403)
        fields = await _fields(request)
        onward = origin.own_path(fields.get("next", "/"))
        email = fields.get("email", "")
        client = request.client.host if request.client else "unknown"
        try:
            token = await anyio.to_thread.run_sync(self._token, email, fields.get("password", ""), client)
        except Refusal as refusal:
            status = 401 if isinstance(refusal, Forbidden) else 503
            status = 429 if refusal.code == "too_many_tries" else status
            return self._form(onward, email=email, error=refusal.message, status=status)
        response = RedirectResponse(onward, 303, headers={"cache-control": "no-store"})
        session_cookie.put(response, request.scope, token)
        return response

    async def ask_or_leave(self, request: Request) -> Response:
        """End the session when one of our pages links here; ask first when somebody else's does."""
        if not origin.is_foreign(request.scope):
            return await self.leave(request)
        button = f'<form method="post" action="/logout"><button>{t("Sign out")}</button></form>'
        return said(t("Sign out"), t("Do you want to leave Bursar?"), button)

    async def leave(self, request: Request) -> Response:
        """End the session and go back to the form."""
        token = session_cookie.token_in(request.scope)
        if token:
            await anyio.to_thread.run_sync(self._end, token)
        response = RedirectResponse("/login", 303, headers={"cache-control": "no-store"})
        session_cookie.clear(response, request.scope)
        return response

    def _token(self, email: str, password: str, address: str) -> str:
        return signin.sign_in(self.works, email=email, password=password, address=address)

    def _end(self, token: str) -> None:
        with self.works.begin(_DOOR) as work:
            signin.sign_out(work, token=token)

    def _form(self, onward: str, *, email: str = "", error: str = "", status: int = 200) -> Response:
        complaint = f'<div class="error" role="alert" id="complaint">{escape(error)}</div>' if error else ""
        described = ' aria-describedby="complaint"' if error else ""
        body = f"""{complaint}<form method="post" action="/login">
<input type="hidden" name="next" value="{escape(onward)}">
<label for="email">{t("Email")}</label>
<input id="email" name="email" type="email" value="{escape(email)}" autocomplete="username" required
 autofocus{described}>
<label for="password">{t("Password")}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button type="submit">{t("Sign in")}</button>
</form>{self._demo(onward)}"""
        return said(t("Sign in"), t("Use the email of your account."), body, status)

    def _demo(self, onward: str) -> str:
        if not self.demo:
            return ""
        choices = "".join(_choice(person, onward) for person in self.demo)
        lead = f"{t('Invented people; password')} <code>{escape(DEMO_PASSWORD)}</code>"
        return f'<section class="demo"><h2>{t("Demo business")}</h2><p>{lead}</p>{choices}</section>'


def _choice(person: DemoPerson, onward: str) -> str:
    hidden = {"next": onward, "email": person.email, "password": DEMO_PASSWORD}
    fields = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in hidden.items()
    )
    words = f"<span>{escape(person.name)}</span><small>{t(ROLE_NAMES[person.role])}</small>"
    return f'<form method="post" action="/login">{fields}<button type="submit">{words}</button></form>'


def said(title: str, lead: str, body: str, status: int = 200) -> Response:
    """A page of the door: a title, a sentence, and what can be done. All three are HTML already."""
    page = _PAGE.substitute(
        title=title,
        lead=lead,
        body=body,
        headline=t("Every cent, from the card to the payout."),
        promise=t(
            "Charges, shares and payouts of a course platform, in figures that open down to the single sale."
        ),
    )
    return HTMLResponse(page, status, headers={"cache-control": "no-store"})


async def _fields(request: Request) -> dict[str, str]:
    """The fields of a small form; a larger body is cut, so that its fields are missing."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            return {}
    try:
        found = parse_qs(body.decode("utf-8", "replace"), max_num_fields=8)
    except ValueError:
        return {}
    return {name: values[0] for name, values in found.items() if "\0" not in values[0]}
