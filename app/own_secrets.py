"""The secrets that Bursar makes for its own sandbox, once per data folder."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from services.kernel.errors import Unavailable


@dataclass(frozen=True, slots=True)
class OwnSecrets:
    """What the sandbox and Bursar know of each other, in the forms that Stripe gives them."""

    stripe_secret_key: str
    stripe_webhook_secret: str
    stripe_connect_webhook_secret: str

    def __repr__(self) -> str:
        return "OwnSecrets(hidden)"


def keep(folder: Path) -> OwnSecrets:
    """The secrets of a data folder, made at the first call and readable by its owner only."""
    file = folder / "secrets.json"
    if not file.exists():
        _write(file)
    try:
        known = json.loads(file.read_text())
        return OwnSecrets(**{field.name: known[field.name] for field in fields(OwnSecrets)})
    except (ValueError, KeyError, TypeError):
        raise Unavailable(
            "secrets",
            f"{file} is damaged. Put it back from a backup, or remove it together with {folder / 'sandbox'}.",
        ) from None


def _write(file: Path) -> None:
    """Write the file whole or not at all, even if another process does the same now."""
    made = OwnSecrets(
        stripe_secret_key=f"sk_test_{secrets.token_hex(24)}",
        stripe_webhook_secret=f"whsec_{secrets.token_hex(24)}",
        stripe_connect_webhook_secret=f"whsec_{secrets.token_hex(24)}",
    )
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    with draft.open("w") as written:
        json.dump(asdict(made), written, indent=2)
        written.flush()
        os.fsync(written.fileno())
    try:
        os.link(draft, file)  # unlike a rename it does not overwrite what another process was first to write
    except FileExistsError:
        pass
    finally:
        draft.unlink()
