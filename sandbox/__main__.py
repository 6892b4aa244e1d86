"""`python -m sandbox --port N --data FOLDER`."""

import argparse
import sys
from pathlib import Path

from sandbox.server import RefusedError, serve


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="sandbox", description="A Stripe of our own on loopback.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--data", type=Path, required=True, help="folder for the state and the secret key")
    given = parser.parse_args()
    try:
        serve(given.port, given.data)
    except RefusedError as refusal:
        sys.exit(str(refusal))


if __name__ == "__main__":
    main()
