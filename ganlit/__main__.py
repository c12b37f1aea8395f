"""`python -m ganlit`, ready for signals also while the libraries are still being imported."""

import sys

from ganlit import signals


def run() -> int:
    signals.listen()
    try:
        from ganlit.cli import main

        return main()
    except KeyboardInterrupt:
        return 130


sys.exit(run())
