"""`python -m ganlit`, ready for signals also while the libraries are still being imported."""

import os
import sys

from ganlit.compute import allocation, signals
from ganlit.compute.launch import left_behind
from ganlit.compute.sparing import spare
from ganlit.errors import UserError


def run() -> int:
    signals.listen()
    allocation.hold()
    if not sys.flags.safe_path and sys.path[0] == os.getcwd():  # `python -m` puts it there: no file that lies here is
        del sys.path[0]  # imported for its name, unless PYTHONPATH says so
    try:
        if strays := left_behind():
            print(f"ignored {', '.join(strays)}: no launcher has set the rest that belongs to it", file=sys.stderr)
        spare()
        from ganlit.cli.main import main

        return main()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


sys.exit(run())
