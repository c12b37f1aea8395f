"""`python -m ganlit`, ready for signals also while the libraries are still being imported."""

import sys

from ganlit.compute import signals


def run() -> int:
    signals.listen()
    try:
        from ganlit.cli.main import main

        return main()
    except KeyboardInterrupt:
        return 130


sys.exit(run())
