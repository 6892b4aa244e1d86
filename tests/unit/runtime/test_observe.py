"""What a log line must never carry, and what it must keep."""

import io
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime import observe

SECRETS = (
    "sk_live_51Habcdefghijklmnop",
    "rk_test_51Habcdefghijklmnop",
    "whsec_8Jf3kd93kfj39fk3",
    "Bearer abcdef.123456~xyz",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "postgresql://bursar:hunter2hunter2@127.0.0.1:5432/bursar",
    "$argon2id$v=19$m=47104,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g",
)
SHAPES: tuple[Callable[[str], object], ...] = (
    lambda card: card,
    int,
    lambda card: "-".join(card[at : at + 4] for at in range(0, len(card), 4)),
    lambda card: " ".join(card[at : at + 4] for at in range(0, len(card), 4)),
    lambda card: ".".join(card[at : at + 4] for at in range(0, len(card), 4)),
    lambda card: f"paid with {card}.",
    lambda card: f"({card})",
    lambda card: {"text": f"card={card}"},
    lambda card: [card, "x"],
    lambda card: f'{{"number":"{card}"}}',
    lambda card: f"{card}, exp 12/30",
)


def _luhn(body: str) -> str:
    doubled = [int(digit) * (1 if place % 2 else 2) for place, digit in enumerate(reversed(body))]
    return body + str(-sum(each - 9 if each > 9 else each for each in doubled) % 10)


CARDS = st.builds(
    lambda prefix, rest: _luhn(prefix + rest),
    st.sampled_from(["4", "51", "55", "34", "37", "60", "65"]),
    st.text("0123456789", min_size=13, max_size=13),
)


def _logged(**facts: object) -> str:
    stream = io.StringIO()
    observe.configure(stream=stream)
    observe.logger("test").info("something happened", **facts)
    return stream.getvalue()


@given(card=CARDS, shape=st.sampled_from(SHAPES))
def test_a_card_number_never_reaches_the_log_in_any_shape(card: str, shape: Callable[[str], object]) -> None:
    line = _logged(note=shape(card))
    digits = "".join(character for character in line.split('"timestamp"')[0] if character.isdigit())
    assert card not in digits
    assert json.loads(line)["event"] == "something happened"


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("name", ["note", "password", "authorization", "stripe_secret_key"])
def test_keys_tokens_and_addresses_with_passwords_are_hidden(secret: str, name: str) -> None:
    line = _logged(**{name: f"got {secret} there"})
    for part in secret.replace("postgresql://bursar:", "").split("@127")[0].split():
        if len(part) > 8:
            assert part not in line


@given(
    order=st.uuids(),
    minor=st.integers(min_value=-10_000_000, max_value=10_000_000),
    word=st.text("abcdefghijklmnop ", max_size=30),
)
def test_ordinary_lines_stay_as_they_are(order: object, minor: int, word: str) -> None:
    told = json.loads(_logged(purchase=str(order), amount_minor=minor, note=word))
    assert (told["purchase"], told["amount_minor"], told["note"]) == (str(order), minor, word)


def test_an_error_is_logged_with_its_trace_and_without_its_secrets() -> None:
    stream = io.StringIO()
    observe.configure(stream=stream)
    try:
        int("refused sk_live_51Habcdefghijklmnop")
    except ValueError:
        observe.logger("test").exception("failed")
    told = json.loads(stream.getvalue())
    assert "ValueError" in told["exception"]
    assert "sk_live" not in told["exception"]


def test_a_block_tells_how_long_it_took() -> None:
    stream = io.StringIO()
    observe.configure(stream=stream)
    with observe.timed(observe.logger("test"), "counted", rows=3):
        pass
    told = json.loads(stream.getvalue())
    assert told["rows"] == 3
    assert told["took_ms"] >= 0
