from __future__ import annotations

from inspect import signature
from pathlib import Path
from typing import Literal

import pytest

from ganlit.configuration import outline as outlines
from ganlit.configuration.outline import outline, purpose

TOOL = """
'''A module that nobody can run.'''

from pathlib import Path
from typing import Literal
from ganlit.there import HOW, far as near

raise SystemExit

MOST = 2 * 4
Depth = Literal[8, 16]


class Kind:
    @nobody
    def check(self, place: Nothing, depth: Depth = 8, *, most: int = MOST) -> Nothing:
        pass


@nobody
def tool(
    place: Path, how: HOW = "slow", far: int = near, most: int = -MOST, *, deep: Depth | None = None, **more: Nothing
) -> Nothing:
    '''Do it.

    And say so.
    '''
    do()
"""


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here.py").write_text(TOOL)
    (tmp_path / "there.py").write_text("import nowhere\nfrom ganlit.far import far\nHOW = str\n")
    (tmp_path / "far.py").write_text("far = len('four')\n")
    monkeypatch.setattr(outlines, "HERE", tmp_path)
    outlines._tree.cache_clear()


def test_nothing_is_run_to_know_what_a_function_takes() -> None:
    found = outline("ganlit.here.tool")
    told = {name: (one.annotation, one.default) for name, one in signature(found).parameters.items() if name != "place"}
    assert told == {
        "how": (str, "slow"),
        "far": (int, 4),
        "most": (int, -8),
        "deep": (Literal[8, 16] | None, None),
    }
    assert signature(found).parameters["place"].annotation is Path
    assert found.__doc__.splitlines()[0] == purpose("ganlit.here.tool") == "Do it."
    assert found(Path()) is None


def test_what_a_method_can_do_without_is_asked_for_alone() -> None:
    found = signature(outline("ganlit.here.Kind.check", optional=True)).parameters
    assert {name: one.default for name, one in found.items()} == {"depth": 8, "most": 8}
