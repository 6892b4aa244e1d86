"""Whether the process lives, and whether it can do its work."""

from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.runtime import observe

Check = Callable[[], bool]
_log = observe.logger("health")


def routes(checks: Mapping[str, Check]) -> list[Route]:
    """`/healthz` says that the process answers; `/readyz` whether everything it needs does."""

    def alive(_request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    def ready(_request: Request) -> Response:
        results = {name: _passes(name, check) for name, check in checks.items()}
        is_ready = all(results.values())
        answer = {"status": "ready" if is_ready else "not ready", "checks": results}
        return JSONResponse(answer, 200 if is_ready else 503, headers={"cache-control": "no-store"})

    return [Route("/healthz", alive), Route("/readyz", ready)]


def _passes(name: str, check: Check) -> bool:
    try:
        return check()
    except Exception:  # noqa: BLE001 - whatever fails, the process is not ready
        _log.exception("not_ready", check=name)
        return False
