"""Waits for one byte and then becomes the command behind it; started as a plain file, so standard library only.

A command that changes something must not begin before its process stands in the ledger. So this is started first, and
the byte comes once its number is written down. Should the agent be killed before that, it never comes, and nothing ran.
"""

import os
import sys

GO = b"g"
NEVER_BEGAN = 126
NO_PROGRAM = 127


def main() -> None:
    """Wait on standard input, then run the program and arguments that follow, with nothing in its environment."""
    if os.read(0, 1) != GO:
        os._exit(NEVER_BEGAN)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    try:
        os.execve(sys.argv[1], sys.argv[1:], {})
    except OSError as error:
        os.write(2, f"{sys.argv[1]} cannot be started: {error.strerror}\n".encode())
        os._exit(NO_PROGRAM)


if __name__ == "__main__":
    main()
