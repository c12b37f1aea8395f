"""Names by patterns, and patterns for names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganlit.configuration.patterns import covering, few, listed, matches

NAMES = st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(".".join), unique=True, max_size=12)


@pytest.mark.parametrize(
    ("name", "pattern", "found"),
    [
        ("generator.decoder.0.weight", "generator.decoder", True),
        ("generator.decoder.0.weight", "generator.decoder.0.weight", True),
        ("generator.decoder2.weight", "generator.decoder", False),
        ("generator.decoder2.weight", "generator.decoder*", True),
        ("discriminator.blocks.11.first", "discriminator.blocks.1", False),
        ("discriminator.blocks.11.first", "discriminator.blocks.?1", True),
        ("discriminator.blocks.2.first", "discriminator.blocks.[!01]", True),
        ("generator.a.b.bias", "*.bias", True),
        ("generator", "generator.decoder", False),
    ],
)
def test_a_pattern_is_a_name_or_its_beginning(name: str, pattern: str, found: bool) -> None:
    assert matches(name, ["nothing", pattern]) is found


@given(names=NAMES, data=st.data())
def test_what_covers_some_names_matches_them_and_no_others(names: list[str], data: st.DataObject) -> None:
    leaves = [name for name in names if not any(other.startswith(f"{name}.") for other in names)]
    some = [name for name in leaves if data.draw(st.booleans())]
    patterns = covering(some, [name for name in leaves if name not in some])
    assert [name for name in leaves if matches(name, patterns)] == some
    assert len(patterns) <= len(some)


@pytest.mark.parametrize("given", ["a.b, c", ["a.b", "c"], "a.b,,c,", ["a.b ", "", "c"]])
def test_patterns_are_listed_either_way(given: str | list[str]) -> None:
    assert listed(given) == ["a.b", "c"]


def test_many_names_are_counted() -> None:
    assert (few(["a", "b", "c"]), few(["a", "b", "c", "d", "e"])) == ("a, b, c", "a, b, c and 2 more")
