"""`python -m ganlit`, quiet on Ctrl-C also while the libraries are still being imported."""

import sys


def run() -> int:
    try:
        from ganlit.cli import main

        return main()
    except KeyboardInterrupt:
        return 130


sys.exit(run())
