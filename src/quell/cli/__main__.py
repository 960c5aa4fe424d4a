"""`python -m quell.cli` is `quell`."""

from quell.cli.main import main

main()
