"""As whom the embedded PostgreSQL runs: as we do, or, since it refuses root, as a user without rights."""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from services.kernel.errors import Unavailable
from services.runtime import tether

_CAPABILITIES = {"dac_override": 1, "dac_read_search": 2}  # names and bit numbers of capabilities(7)

_KEEPING = (
    "--securebits=+no_setuid_fixup"  # else access(2), which PostgreSQL asks, ignores what a user may pass
)


@dataclass(frozen=True)
class Rights:
    """The user that PostgreSQL runs as, and the words before its command line that make it so."""

    uid: int
    gid: int
    prefix: tuple[str, ...]

    def give(self, path: Path) -> None:
        """Let this user own a file or folder, and nobody else see it."""
        os.chown(path, self.uid, self.gid)
        path.chmod(0o700 if path.is_dir() else 0o600)


def choose(folder: Path, *, needs: Sequence[Path]) -> Rights:
    """The rights for a data folder; `needs` are the program files that must be readable.

    Not root: our own. Root: the owner of an existing cluster, else `nobody`, with the capability to pass
    closed folders (a clone below a 0700 home) only where these rights would not reach the files otherwise.
    """
    if os.geteuid() != 0:
        return Rights(os.geteuid(), os.getegid(), tether.words(signal.SIGINT))
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise Unavailable(
            "postgres_root",
            "PostgreSQL does not run as root, and the program setpriv that would lower its rights is "
            "missing. Install the package util-linux, run Bursar as another user, "
            "or set BURSAR_DATABASE_URL.",
        )
    uid, gid = _unprivileged(folder)
    lowered = (setpriv, f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--pdeathsig=INT")
    held = ",".join(f"+{name}" for name in _CAPABILITIES if _permitted(name))
    passing = (*lowered, f"--inh-caps={held}", f"--ambient-caps={held}", _KEEPING) if held else lowered
    refused = ""
    for prefix in (lowered, passing):
        refused = _obstacle(prefix, folder, needs)
        if not refused:
            return Rights(uid, gid, prefix)
    raise Unavailable(
        "postgres_root",
        f"PostgreSQL does not run as root, and the user number {uid} cannot reach {folder} or the "
        f"program files ({refused}). Put the data folder (BURSAR_DATA_FOLDER) elsewhere, "
        "run Bursar as another user, or set BURSAR_DATABASE_URL.",
    )


def _unprivileged(folder: Path) -> tuple[int, int]:
    data = folder / "data"
    if data.exists() and data.stat().st_uid != 0:
        return data.stat().st_uid, data.stat().st_gid
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise Unavailable(
            "postgres_root",
            "PostgreSQL does not run as root, and this machine has no user 'nobody' to run it as. "
            "Add that user, run Bursar as another user, or set BURSAR_DATABASE_URL.",
        ) from None
    return nobody.pw_uid, nobody.pw_gid


def _permitted(capability: str) -> bool:
    lines = Path("/proc/self/status").read_text().splitlines()
    mask = next((int(line.split()[1], 16) for line in lines if line.startswith("CapPrm:")), 0)
    return bool(mask >> _CAPABILITIES[capability] & 1)


def _obstacle(prefix: Sequence[str], folder: Path, needs: Sequence[Path]) -> str:
    """What keeps these rights from reading the files and reaching the folder; empty if nothing does."""
    script = (
        'cd "$0" || exit 1; for f; do test -r "$f" || { echo "cannot read $f" >&2; exit 1; }; done; "$1" -V'
    )
    done = subprocess.run(  # noqa: S603 - our own program, words we made
        [*prefix, "/bin/sh", "-c", script, str(folder.parent), *map(str, needs)],
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
    )
    return "" if done.returncode == 0 else done.stderr.strip()
