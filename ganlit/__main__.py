"""`python -m ganlit`, ready for signals also while the libraries are still being imported."""

import os
import sys

from ganlit.compute import signals


def run() -> int:
    signals.listen()
    if not sys.flags.safe_path and sys.path[0] == os.getcwd():  # `python -m` puts it there: no file that lies here is
        del sys.path[0]  # imported for its name, unless PYTHONPATH says so
    try:
        from ganlit.cli.main import main

        return main()
    except KeyboardInterrupt:
        return 130


sys.exit(run())
