"""Child processes that the system ends together with the parent that started them."""

import shutil
import signal


def words(on_parents_death: signal.Signals) -> tuple[str, ...]:
    """What to put before a command line so that its process gets a signal when its starter ends in any way.

    The starter is the thread that starts it. Empty where setpriv (of util-linux) is missing: there a child
    outlives a killed parent.
    """
    setpriv = shutil.which("setpriv")
    return (setpriv, f"--pdeathsig={on_parents_death.name.removeprefix('SIG')}") if setpriv else ()
