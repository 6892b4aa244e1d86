"""The command line: `bursar up` for everything on one machine, and each role by itself."""

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app import ground, own_secrets
from app import up as everything
from app.child import MODULE, NEWS
from services.kernel.errors import Invalid, Refusal
from services.runtime.settings import Settings

_HELP = """
The money side of a course platform.

`bursar up` runs everything on one machine. The other commands are its parts, for running them apart.
Everything is set by variables named BURSAR_*: BURSAR_DATABASE_URL, BURSAR_DATA_FOLDER (.bursar),
BURSAR_PORT (8501), BURSAR_STRIPE_SECRET_KEY, BURSAR_STRIPE_WEBHOOK_SECRET. Without a database address
and without a key, Bursar brings its own Postgres and a sandbox in place of Stripe.
"""
_OF_THE_MACHINE = {errno.EACCES, errno.EDQUOT, errno.ENOSPC, errno.ENOTDIR, errno.EPERM, errno.EROFS}
_DATA_HELP = "The folder that keeps the sandbox's state."
_PORT_HELP = "The port on 127.0.0.1."
_FILE_HELP = (
    "A CSV file in UTF-8 with the columns course_id, course_title, is_paid, price, level, content_duration "
    "and subject; others are left aside."
)
_INSTRUCTOR_HELP = "The e-mail of the instructor who will own the courses."

cli = typer.Typer(help=_HELP, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
imports = typer.Typer(help="Take in what other systems export.", no_args_is_help=True)
cli.add_typer(imports, name="import")


@cli.command()
def up() -> None:
    """Run everything on this machine until Ctrl-C: database, sandbox, demo business, server, worker."""
    everything.Supervisor(Settings(), _say).run()


@cli.command()
def serve() -> None:
    """Run the server: the pages at / and the HTTP API at /api."""
    from app import roles  # noqa: PLC0415 - `up` watches the roles and need not carry what they import

    _standing(roles.serve)


@cli.command()
def work() -> None:
    """Run the worker: news from Stripe, work that is due, and the figures."""
    from app import roles  # noqa: PLC0415 - `up` watches the roles and need not carry what they import

    _standing(roles.work)


@cli.command()
def sync() -> None:
    """Carry what is new to the figures, once."""
    from app import roles  # noqa: PLC0415 - `up` watches the roles and need not carry what they import

    _standing(lambda settings: _say(roles.sync(settings)))


@cli.command()
def migrate() -> None:
    """Bring the database to the newest version."""
    from app import roles  # noqa: PLC0415 - `up` watches the roles and need not carry what they import

    with ground.standing(Settings(), report=_say, sandbox=False) as settings:
        roles.migrate(settings)


@cli.command()
def demo() -> None:
    """Make the demo business, if the database is empty."""
    from app import roles  # noqa: PLC0415 - `up` watches the roles and need not carry what they import

    _standing(lambda settings: roles.demo(settings, report=_say))


@cli.command()
def sandbox(
    port: Annotated[int, typer.Option(help=_PORT_HELP)] = 0,
    data: Annotated[Path | None, typer.Option(help=_DATA_HELP)] = None,
) -> None:
    """Run the sandbox, a stand-in for Stripe, alone."""
    settings = Settings()
    settings.data_folder.mkdir(parents=True, exist_ok=True, mode=0o711)
    known = own_secrets.keep(settings.data_folder)
    os.environ.setdefault("BURSAR_SANDBOX_SECRET_KEY", known.stripe_secret_key)
    folder = data or settings.data_folder / "sandbox"
    os.execv(sys.executable, [*MODULE, "sandbox", "--port", str(port), "--data", str(folder)])  # noqa: S606 - our own module


@imports.command("catalogue")
def import_catalogue(
    file: Annotated[Path, typer.Argument(help=_FILE_HELP)],
    instructor: Annotated[str, typer.Option(help=_INSTRUCTOR_HELP)],
) -> None:
    """List the courses of another platform's export; repeating it changes nothing.

    Rows that cannot be taken are listed with line and reason, and the others imported. Exit code 2 means
    that the file as a whole cannot be used.
    """
    from app import intake, roles  # noqa: PLC0415 - `up` watches the roles and need not carry what they import

    def take_in(settings: Settings) -> None:
        roles.migrate(settings)
        intake.take_in(roles.wiring(settings), file=file, instructor=instructor)

    try:
        _standing(take_in)
    except Invalid as refusal:
        typer.echo(f"bursar: {refusal.message}", err=True)
        raise typer.Exit(2) from None


def main() -> None:
    """Run one command; what is refused is told in a sentence, with exit code 1."""
    try:
        cli(prog_name="bursar")
    except Refusal as refusal:
        _refuse(refusal.message)
    except OSError as error:
        if error.errno not in _OF_THE_MACHINE:
            raise
        _refuse(f"{error.strerror}: {error.filename or Settings().data_folder}")
    except ValidationError as wrong:
        _refuse("\n".join(_sentence(error) for error in wrong.errors()))


def _standing(act: Callable[[Settings], None]) -> None:
    with ground.standing(Settings(), report=_say) as settings:
        act(settings)


def _say(line: str) -> None:
    typer.echo(line if line.startswith("\n") else f"{NEWS}{line}")


def _sentence(error: ErrorDetails) -> str:
    name = "".join(f"BURSAR_{part}: ".upper() for part in error["loc"])
    return f"{name}{error['msg'].removeprefix('Value error, ')}"


def _refuse(message: str) -> NoReturn:
    typer.echo(f"bursar: {message}", err=True)
    raise SystemExit(1)


if __name__ == "__main__":
    main()
