"""Which requests are our own pages', and where a sign-in may lead."""

import pytest

from app import origin


def scope(**headers: str) -> dict[str, object]:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "scheme": "http", "headers": pairs}


def test_own_origin_is_the_host_that_was_asked() -> None:
    assert origin.is_own(scope(host="bursar.test", origin="https://bursar.test"))
    assert not origin.is_own(scope(host="bursar.test", origin="https://evil.test"))
    assert not origin.is_own(scope(host="bursar.test", origin="null"))
    assert not origin.is_own(scope(host="bursar.test"))


def test_foreign_is_what_says_so() -> None:
    assert origin.is_foreign(scope(host="bursar.test", origin="https://evil.test"))
    assert origin.is_foreign(scope(host="bursar.test", sec_fetch_site="cross-site"))
    assert origin.is_foreign(scope(host="bursar.test", sec_fetch_site="same-site"))
    assert not origin.is_foreign(scope(host="bursar.test", sec_fetch_site="same-origin"))
    assert not origin.is_foreign(scope(host="bursar.test"))


@pytest.mark.parametrize("wanted", ["/", "/earnings", "/course?course=1&period=30D"])
def test_paths_of_ours_are_followed(wanted: str) -> None:
    assert origin.own_path(wanted) == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.test/",
        "//evil.test",
        "///evil.test",
        "/\\evil.test",
        "\\\\evil.test",
        "javascript:alert(1)",
        "evil.test",
        "",
        "/a\nSet-Cookie: x=1",
        "/\t/evil.test",
        "http:evil.test",
    ],
)
def test_paths_that_lead_away_are_not(wanted: str) -> None:
    assert origin.own_path(wanted) == "/"
