"""A plugin of pytest: writes a line of JSON for what begins and for what has ended, into the file $KIT_NOTES."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest


def note(**line: Any) -> None:
    with Path(os.environ["KIT_NOTES"]).open("a") as file:
        file.write(json.dumps(line, default=str) + "\n")


def pytest_runtest_logstart(nodeid: str) -> None:
    note(name=nodeid, state="begun")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A test is told of once: by its body, or by what failed or was skipped before or after it."""
    if report.when == "call" or report.outcome != "passed":
        note(name=report.nodeid, state=report.outcome, found=dict(report.user_properties), why=reason(report))


def reason(report: pytest.TestReport) -> str:
    """The line in which a test failed or was skipped."""
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    return "" if report.passed else str(crash.message if crash else report.longrepr).splitlines()[0]
