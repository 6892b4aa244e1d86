"""The gate, the door and the headers, over real HTTP against a real shell."""

import gzip
import itertools
import re
import socket
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import httpx2
import pytest

from services.kernel.actor import Role
from tests.serving import PASSWORD, Shell

ADDRESSES = itertools.count(1)
PAGE = "text/html; charset=utf-8"


@pytest.fixture(scope="module")
def learner(shell: Shell) -> str:
    return shell.person("learner@test.example.com", Role.LEARNER)


@pytest.fixture
def stranger(shell: Shell) -> Iterator[httpx2.Client]:
    with httpx2.Client(
        base_url=shell.address, headers={"x-forwarded-for": f"192.0.2.{next(ADDRESSES)}"}
    ) as client:
        yield client


@pytest.fixture
def visitor(shell: Shell, learner: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=shell.address) as client:
        entered = client.post("/login", data={"email": learner, "password": PASSWORD})
        assert entered.status_code == 303
        yield client


def upgrade(shell: Shell, **headers: str) -> int:
    """Ask for the page's websocket by hand; gives the status of the answer."""
    host = urlsplit(shell.address).netloc
    lines = {
        "Host": host,
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol": "streamlit",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    request = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    with socket.create_connection(("127.0.0.1", int(host.rsplit(":")[-1])), timeout=10) as line:
        line.sendall(f"GET /_stcore/stream HTTP/1.1\r\n{request}\r\n".encode())
        return int(line.recv(200).split()[1])


def cookie(client: httpx2.Client) -> str:
    return f"bursar_session={client.cookies['bursar_session']}"


def test_pages_lead_strangers_to_the_door_and_back(stranger: httpx2.Client, learner: str) -> None:
    turned_away = stranger.get("/my-learning?period=30D")
    assert turned_away.status_code == 303
    assert turned_away.headers["location"] == "/login?next=/my-learning%3Fperiod%3D30D"
    form = stranger.get(turned_away.headers["location"])
    wanted = re.search(r'name="next" value="([^"]*)"', form.text)
    assert wanted is not None
    entered = stranger.post("/login", data={"email": learner, "password": PASSWORD, "next": wanted[1]})
    assert entered.headers["location"] == "/my-learning?period=30D"
    assert stranger.get(entered.headers["location"]).headers["content-type"] == PAGE


def test_cookie_is_out_of_reach_of_scripts_and_other_sites(stranger: httpx2.Client, learner: str) -> None:
    entered = stranger.post("/login", data={"email": learner, "password": PASSWORD})
    attributes = {part.strip().lower() for part in entered.headers["set-cookie"].split(";")}
    assert {"httponly", "samesite=lax", "path=/", "max-age=43200"} <= attributes
    assert "secure" not in attributes


def test_over_https_the_cookie_is_bound_to_the_host(stranger: httpx2.Client, learner: str) -> None:
    safe = {"x-forwarded-proto": "https", "host": "bursar.test"}
    entered = stranger.post("/login", data={"email": learner, "password": PASSWORD}, headers=safe)
    assert entered.headers["set-cookie"].startswith("__Host-bursar_session=")
    assert "secure" in entered.headers["set-cookie"].lower()
    assert entered.headers["strict-transport-security"].startswith("max-age=31536000")
    token = re.match(r"__Host-bursar_session=([^;]+)", entered.headers["set-cookie"])
    assert token is not None
    plain_name = stranger.get("/", headers={**safe, "cookie": f"bursar_session={token[1]}"})
    assert plain_name.status_code == 303
    bound_name = stranger.get("/", headers={**safe, "cookie": f"__Host-bursar_session={token[1]}"})
    assert bound_name.status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "/login", "/healthz", "/static/js/absent.js", "/nothing/here", "/api/absent"]
)
def test_every_answer_carries_the_armour(stranger: httpx2.Client, path: str) -> None:
    headers = stranger.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    policy = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'self'"
    assert re.fullmatch(r"'self'( 'sha256-[\w+/]+=')+", policy["script-src"])
    assert policy["frame-ancestors"] == policy["object-src"] == policy["frame-src"] == "'none'"
    assert policy["form-action"] == "'self'"


def test_page_comes_compressed_and_is_not_kept(visitor: httpx2.Client) -> None:
    answer = visitor.get("/")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["cache-control"] == "no-store"
    assert "<title>Bursar</title>" in answer.text
    assert "<title>Bursar</title>" in visitor.get("/", headers={"accept-encoding": "identity"}).text


def test_scripts_come_compressed_and_are_kept(stranger: httpx2.Client, visitor: httpx2.Client) -> None:
    name = re.search(r'src="\.(/static/js/index\.[^"]+)"', visitor.get("/").text)
    assert name is not None
    with stranger.stream("GET", name[1], headers={"accept-encoding": "gzip"}) as answer:
        squeezed = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["cache-control"].startswith("public, immutable")
    assert "javascript" in answer.headers["content-type"]
    plain = stranger.get(name[1], headers={"accept-encoding": "identity"}).content
    assert gzip.decompress(squeezed) == plain


@pytest.mark.parametrize("path", ["/nothing/here", "/index.html", "/.git/config", "/app/main.py", "/a.b"])
def test_addresses_that_are_no_pages_are_not_found(visitor: httpx2.Client, path: str) -> None:
    assert visitor.get(path).status_code == 404


@pytest.mark.parametrize(
    "path", ["/_stcore/metrics", "/_stcore/script-health-check", "/_stcore/agent/openapi.json", "/auth/login"]
)
def test_what_we_do_not_offer_is_closed_to_everybody(visitor: httpx2.Client, path: str) -> None:
    assert visitor.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/media/x.csv", "/component/x/index.html", "/_stcore/upload_file/a/b"])
def test_files_of_sessions_need_a_session(stranger: httpx2.Client, path: str) -> None:
    assert stranger.get(path).status_code == 403
    assert stranger.put(path).status_code == 403


def test_pages_of_other_roles_lead_to_the_first_page(visitor: httpx2.Client) -> None:
    for address in ("earnings", "data-health", "catalogue", "nothing"):
        answer = visitor.get(f"/{address}?period=6M")
        assert (answer.status_code, answer.headers["location"]) == (303, "/?period=6M")


def test_websocket_wants_own_origin_and_a_session(shell: Shell, visitor: httpx2.Client) -> None:
    own = shell.address
    assert upgrade(shell, Origin=own, Cookie=cookie(visitor)) == 101
    assert upgrade(shell, Origin="https://evil.test", Cookie=cookie(visitor)) == 403
    assert upgrade(shell, Cookie=cookie(visitor)) == 403
    assert upgrade(shell, Origin=own) == 403
    assert upgrade(shell, Origin=own, Cookie="bursar_session=invented") == 403


def test_headers_that_claim_an_identity_have_no_effect(
    shell: Shell, stranger: httpx2.Client, visitor: httpx2.Client
) -> None:
    assert visitor.get("/").status_code == 200
    claim = {"x-bursar-session": "0193f3a0-0000-7000-8000-000000000000", "X-Bursar-User": "founder"}
    assert stranger.get("/", headers=claim).status_code == 303
    assert stranger.get("/media/x.csv", headers=claim).status_code == 403
    assert upgrade(shell, Origin=shell.address, X_Bursar_Session=claim["x-bursar-session"]) == 403


def test_sign_out_ends_the_session_everywhere(shell: Shell, visitor: httpx2.Client) -> None:
    copied = cookie(visitor)
    left = visitor.post("/logout")
    assert left.headers["location"] == "/login"
    assert 'bursar_session=""' in left.headers["set-cookie"]
    assert upgrade(shell, Origin=shell.address, Cookie=copied) == 403
    assert httpx2.get(f"{shell.address}/", headers={"cookie": copied}).status_code == 303


def test_other_sites_can_neither_sign_out_nor_sign_in(
    visitor: httpx2.Client, stranger: httpx2.Client, learner: str
) -> None:
    asked = visitor.get("/logout", headers={"sec-fetch-site": "cross-site"})
    assert asked.status_code == 200
    assert 'method="post" action="/logout"' in asked.text
    assert visitor.get("/").status_code == 200
    fields = {"email": learner, "password": PASSWORD}
    forged = stranger.post("/login", data=fields, headers={"origin": "https://evil.test"})
    assert forged.status_code == 403
    assert "set-cookie" not in forged.headers


def test_other_sites_cannot_use_the_api_with_the_cookie(visitor: httpx2.Client) -> None:
    assert visitor.post("/api/v1/anything", headers={"origin": "https://evil.test"}).status_code == 403
    assert visitor.post("/api/v1/anything").status_code == 404


def test_wrong_password_keeps_the_email_and_says_why(stranger: httpx2.Client) -> None:
    answer = stranger.post("/login", data={"email": '"><script>x', "password": "wrong"})
    assert answer.status_code == 401
    assert "do not belong together" in answer.text
    assert 'value="&quot;&gt;&lt;script&gt;x"' in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("wanted", ["https://evil.test", "//evil.test", "/\\evil.test"])
def test_sign_in_never_leads_away(stranger: httpx2.Client, learner: str, wanted: str) -> None:
    answer = stranger.post("/login", data={"email": learner, "password": PASSWORD, "next": wanted})
    assert answer.headers["location"] == "/"


def test_a_form_that_is_too_large_is_no_form(stranger: httpx2.Client, learner: str) -> None:
    answer = stranger.post("/login", data={"email": learner, "password": PASSWORD, "x": "y" * 20_000})
    assert answer.status_code == 401


def test_tries_of_one_email_are_limited(stranger: httpx2.Client) -> None:
    answers = [
        stranger.post("/login", data={"email": "guess@example.com", "password": "x"}) for _try in range(11)
    ]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]


def test_demo_people_are_offered_where_the_settings_say_so(stranger: httpx2.Client) -> None:
    assert "Demo business" in stranger.get("/login").text


def test_health_says_little(stranger: httpx2.Client) -> None:
    assert stranger.get("/healthz").json() == {"status": "alive"}
    ready = stranger.get("/readyz")
    assert ready.status_code == 503
    assert ready.json() == {"status": "not ready", "checks": {"database": True, "figures": False}}


def test_fonts_and_mark_are_served(stranger: httpx2.Client, learner: str) -> None:
    assert learner
    for name in (
        "fonts/inter-latin-wght-normal.woff2",
        "fonts/inter-latin-ext-wght-normal.woff2",
        "brand/mark.svg",
    ):
        assert stranger.get(f"/app/static/{name}").status_code == 200
    served: Callable[[str], httpx2.Response] = stranger.get
    assert served("/app/static/../main.py").status_code == 404
