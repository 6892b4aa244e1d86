"""The one frozen configuration, read from BURSAR_* by the process that starts."""

from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class StripeMode(StrEnum):
    """Which processor the money goes through."""

    SANDBOX = "sandbox"
    STRIPE = "stripe"
    TEST_ADDRESS = "test_address"


class Settings(BaseSettings):
    """Everything that may differ between two installations of Bursar.

    Secrets may hold two values separated by a comma while they are rotated; the first one signs.
    """

    model_config = SettingsConfigDict(
        env_prefix="BURSAR_", env_ignore_empty=True, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    database_url: SecretStr | None = None
    data_folder: Path = Path(".bursar")
    host: str = "127.0.0.1"
    port: int = Field(default=8501, ge=1, le=65_535)
    public_url: str | None = None
    stripe_secret_key: SecretStr | None = None
    stripe_webhook_secret: SecretStr | None = None
    stripe_connect_webhook_secret: SecretStr | None = None
    stripe_base_url: str | None = None
    demo: bool = True

    @model_validator(mode="after")
    def _one_way_to_stripe(self) -> Self:
        key = self.stripe_secret_key.get_secret_value() if self.stripe_secret_key else ""
        if self.stripe_base_url and not key:
            raise ValueError(
                "BURSAR_STRIPE_BASE_URL is set without BURSAR_STRIPE_SECRET_KEY: set both, or neither"
            )
        if self.stripe_base_url and not key.startswith(("sk_test_", "rk_test_")):
            raise ValueError(
                "BURSAR_STRIPE_BASE_URL goes with a test key only: unset it, or use a sk_test_ key"
            )
        if key and not key.startswith(("sk_test_", "rk_test_", "sk_live_", "rk_live_")):
            raise ValueError(
                "BURSAR_STRIPE_SECRET_KEY must start with sk_test_, rk_test_, sk_live_ or rk_live_"
            )
        if key and not self.webhook_secrets():
            raise ValueError(
                "BURSAR_STRIPE_WEBHOOK_SECRET is missing: copy it from the webhook endpoint at Stripe"
            )
        if self.webhook_secrets() and not key:
            raise ValueError(
                "BURSAR_STRIPE_WEBHOOK_SECRET is set without BURSAR_STRIPE_SECRET_KEY: set both, or neither"
            )
        return self

    def stripe_mode(self) -> StripeMode:
        """Which processor these settings name: the sandbox, Stripe, or a test address."""
        if not self.stripe_secret_key:
            return StripeMode.SANDBOX
        return StripeMode.TEST_ADDRESS if self.stripe_base_url else StripeMode.STRIPE

    def shows_demo(self) -> bool:
        """Whether the demo business belongs here: never beside Stripe itself."""
        return self.demo and self.stripe_mode() is not StripeMode.STRIPE

    def is_live(self) -> bool:
        """Whether real money moves."""
        key = self.stripe_secret_key.get_secret_value() if self.stripe_secret_key else ""
        return key.startswith(("sk_live_", "rk_live_"))

    def address(self) -> str:
        """Where a browser finds Bursar, without a slash at the end."""
        return (self.public_url or f"http://localhost:{self.port}").rstrip("/")

    def webhook_secrets(self) -> tuple[str, ...]:
        """The secrets that may have signed a platform webhook."""
        return secrets_in(self.stripe_webhook_secret)

    def connect_webhook_secrets(self) -> tuple[str, ...]:
        """The secrets that may have signed a connected account's webhook."""
        return secrets_in(self.stripe_connect_webhook_secret)


def secrets_in(value: SecretStr | None) -> tuple[str, ...]:
    """The one or two secrets that a setting holds."""
    if value is None:
        return ()
    return tuple(part for part in (piece.strip() for piece in value.get_secret_value().split(",")) if part)
