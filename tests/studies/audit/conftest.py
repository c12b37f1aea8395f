"""How findings are held to what they should say."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch

from ganlit.cli.main import quieten
from ganlit.studies.audit.findings import Finding

quieten()


@pytest.fixture(autouse=True)
def undisturbed() -> Iterator[None]:
    with torch.random.fork_rng():
        yield


@pytest.fixture
def fails() -> Callable[..., None]:
    """Holds a finding to be a failure that says all of these."""

    def hold(found: Finding, *words: str) -> None:
        assert found.status == "fails", found
        said = f"{found.seen} {found.remedy}"
        assert all(word in said for word in words), said

    return hold
