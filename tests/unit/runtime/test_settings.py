"""One way to the processor: every other combination of settings refuses to start, and says what to do."""

import pytest
from pydantic import ValidationError

from services.runtime.settings import Settings, StripeMode

TEST_KEY, LIVE_KEY, SECRET = "sk_test_invented", "sk_live_invented", "whsec_invented"
ADDRESS = "http://127.0.0.1:12111"


def settings(**values: object) -> Settings:
    """A configuration from values as they come from the environment."""
    return Settings.model_validate(values)


@pytest.mark.parametrize(
    ("values", "mode", "is_live"),
    [
        ({}, StripeMode.SANDBOX, False),
        ({"stripe_secret_key": TEST_KEY, "stripe_webhook_secret": SECRET}, StripeMode.STRIPE, False),
        ({"stripe_secret_key": LIVE_KEY, "stripe_webhook_secret": SECRET}, StripeMode.STRIPE, True),
        ({"stripe_secret_key": "rk_live_i", "stripe_webhook_secret": SECRET}, StripeMode.STRIPE, True),
        (
            {"stripe_secret_key": TEST_KEY, "stripe_webhook_secret": SECRET, "stripe_base_url": ADDRESS},
            StripeMode.TEST_ADDRESS,
            False,
        ),
    ],
)
def test_the_doors_that_open(values: dict[str, str], mode: StripeMode, *, is_live: bool) -> None:
    assert (settings(**values).stripe_mode(), settings(**values).is_live()) == (mode, is_live)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"stripe_base_url": ADDRESS}, "set both, or neither"),
        (
            {"stripe_base_url": ADDRESS, "stripe_secret_key": LIVE_KEY, "stripe_webhook_secret": SECRET},
            "goes with a test key only",
        ),
        (
            {"stripe_base_url": ADDRESS, "stripe_secret_key": "rk_live_i", "stripe_webhook_secret": SECRET},
            "goes with a test key only",
        ),
        ({"stripe_secret_key": "pk_test_i", "stripe_webhook_secret": SECRET}, "must start with sk_test_"),
        ({"stripe_secret_key": "invented", "stripe_webhook_secret": SECRET}, "must start with sk_test_"),
        ({"stripe_secret_key": TEST_KEY}, "BURSAR_STRIPE_WEBHOOK_SECRET is missing"),
        ({"stripe_secret_key": LIVE_KEY, "stripe_webhook_secret": " , "}, "WEBHOOK_SECRET is missing"),
        ({"stripe_webhook_secret": SECRET}, "set both, or neither"),
        ({"stripe_secret_key": "", "stripe_webhook_secret": SECRET}, "set both, or neither"),
    ],
)
def test_the_doors_that_stay_shut_say_what_to_set(values: dict[str, str], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        settings(**values)


def test_no_secret_is_in_a_refusal_or_a_printed_configuration() -> None:
    public = {"stripe_secret_key": "pk_test_betrayed", "stripe_webhook_secret": "whsec_betrayed"}
    with pytest.raises(ValidationError) as refused:
        settings(**public)
    betrayed = {"stripe_secret_key": "sk_test_betrayed", "stripe_webhook_secret": "whsec_betrayed"}
    printed = settings(**betrayed, database_url="postgresql://bursar:betrayed@db.example/bursar")
    assert "betrayed" not in str(refused.value)
    assert "betrayed" not in repr(printed) + str(printed) + str(printed.model_dump())


def test_the_environment_is_where_settings_come_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BURSAR_PORT", "9000")
    monkeypatch.setenv("BURSAR_PUBLIC_URL", "https://learn.example/")
    assert Settings().port == 9000
    assert Settings().address() == "https://learn.example"


def test_a_variable_that_is_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BURSAR_STRIPE_SECRET_KEY", "")
    monkeypatch.setenv("BURSAR_PORT", "")
    assert (Settings().stripe_mode(), Settings().port) == (StripeMode.SANDBOX, 8501)


def test_without_a_public_address_a_browser_finds_it_on_this_machine() -> None:
    assert settings(port=8600).address() == "http://localhost:8600"


@pytest.mark.parametrize("port", [0, -1, 65_536, "high"])
def test_a_port_is_a_port(port: object) -> None:
    with pytest.raises(ValidationError, match="port"):
        settings(port=port)


def test_two_secrets_stand_side_by_side_while_they_are_rotated() -> None:
    values = {"stripe_webhook_secret": " whsec_new , whsec_old ,", "stripe_secret_key": TEST_KEY}
    rotated = settings(**values)
    assert rotated.webhook_secrets() == ("whsec_new", "whsec_old")
    assert rotated.connect_webhook_secrets() == ()


def test_settings_do_not_change_while_a_process_runs() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        settings().port = 9000
