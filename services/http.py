"""The HTTP API: every router, one table of errors, and the processor's webhooks in front of it all."""

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp, Scope

from services.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Refusal, Unavailable
from services.marketplace.api import router as marketplace
from services.payments import inbox
from services.payments.inbox import Message, Receive, Send
from services.runtime.settings import Settings
from services.runtime.work import Works
from services.stripe.gateway import Gateway

LARGEST_REQUEST = 64_000  # bytes

STATUS: dict[type[Refusal], HTTPStatus] = {
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    Forbidden: HTTPStatus.FORBIDDEN,
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}


def application(works: Works, gateway: Gateway, settings: Settings) -> FastAPI:
    """The API of one process, to be mounted under /api."""
    api = FastAPI(title="Bursar", version="1", docs_url=None, redoc_url=None, openapi_url="/v1/openapi.json")
    api.state.works = works
    api.state.gateway = gateway
    api.state.address = settings.address()
    live = settings.is_live()
    platform = inbox.webhook(works, settings.webhook_secrets(), connect=False, live=live)
    connect = inbox.webhook(works, settings.connect_webhook_secrets(), connect=True, live=live)
    api.router.routes.append(Route("/v1/stripe/webhook", Webhook(platform)))
    api.router.routes.append(Route("/v1/stripe/connect/webhook", Webhook(connect)))
    api.include_router(marketplace)
    api.add_exception_handler(Refusal, _refused)
    api.add_exception_handler(RequestValidationError, _misshaped)
    api.add_exception_handler(HTTPException, _plain)
    api.add_middleware(Limit)
    return api


class Webhook:
    """An ASGI endpoint as the router takes it."""

    def __init__(self, endpoint: inbox.Endpoint) -> None:
        self.endpoint = endpoint

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Hand one request over."""
        await self.endpoint(scope, receive, send)


class Limit:
    """Refuses bodies that are larger than any request of ours needs to be."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count a request's body while it is read; webhooks keep their own limit."""
        if scope["type"] != "http" or "/stripe/" in scope["path"]:
            await self.app(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > LARGEST_REQUEST:
                raise HTTPException(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"Send at most {LARGEST_REQUEST} bytes."
                )
            return message

        await self.app(scope, counted, send)


def problem(status: int, code: str, detail: str, **facts: object) -> JSONResponse:
    """An error as RFC 9457 tells it: what went wrong, with a code for machines and a sentence for people."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": int(status)}
    return JSONResponse(
        {**body, "code": code, "detail": detail, **facts}, status, media_type="application/problem+json"
    )


def _refused(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, Refusal):
        raise error
    status = next(status for family, status in STATUS.items() if isinstance(error, family))
    if error.code == "not_signed_in":
        status = HTTPStatus.UNAUTHORIZED
    shown = {"field": error.field} if isinstance(error, Invalid) else {}
    answer = problem(status, error.code, error.message, **shown)
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        answer.headers["Retry-After"] = "5"
    return answer


def _misshaped(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"] if part not in {"body", "query", "path", "header"})
    return problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid",
        f"{field or 'body'}: {first['msg']}",
        field=field or "body",
    )


def _plain(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    return problem(error.status_code, "http", str(error.detail))
