"""The agent as a program: `python -m quell.agent enrol | run | doctor`."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from quell.agent.doctor import examine
from quell.agent.enrolment import enrol
from quell.agent.home import Unusable
from quell.agent.run import run
from quell.agent.server import TurnedAway, Unreachable

FOLDER = "agent"


def default_home() -> Path:
    """The folder `agent` in QUELL_HOME, like everything that Quell keeps (`./.quell` when that is not set)."""
    return Path(os.environ.get("QUELL_HOME") or ".quell").expanduser().absolute() / FOLDER


def main(given: Sequence[str] | None = None) -> int:
    """The exit status: 0 well, 1 not now, 2 a person must mend something."""
    parser = argparse.ArgumentParser(prog="quell agent", description="The program on a device.")
    parser.add_argument("--home", type=Path, default=default_home(), help="the agent's folder (default: %(default)s)")
    verbs = parser.add_subparsers(dest="verb", required=True)
    entering = verbs.add_parser("enrol", help="let this device in, once")
    entering.add_argument("--server", required=True, help="the server's address, such as https://quell.example.com")
    entering.add_argument("--token", required=True, help="the single-use token of `quell agent token`")
    entering.add_argument("--hostname", help="the name that the company knows this device by (default: its own)")
    verbs.add_parser("run", help="ask for orders and obey them")
    verbs.add_parser("doctor", help="say what stands in the way")
    asked = parser.parse_args(given)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    try:
        return _do(asked)
    except (Unreachable, TurnedAway) as error:
        print(f"quell agent: {error}", file=sys.stderr)
        return 1
    except Unusable as error:
        print(f"quell agent: {error}", file=sys.stderr)
        return 2


def _do(asked: argparse.Namespace) -> int:
    if asked.verb == "enrol":
        identity = enrol(asked.server, asked.token, asked.home, asked.hostname)
        print(f"This device is {identity.device_id}; what it allows stands in {asked.home / 'policy.toml'}")
        return 0
    if asked.verb == "doctor":
        found = examine(asked.home)
        for what, how in found:
            print(f"{what:10} {how}")
        return 0 if all(how.startswith("ok") for _what, how in found) else 2
    run(asked.home)
    return 0


if __name__ == "__main__":
    sys.exit(main())
