from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ganlit.errors import UserError
from ganlit.records.settings import configuration, fingerprint, flat, plain

WHOLE = {"name": "a", "kimg": 1.0, "trainer": {}, "model": {"class_path": "x.Y"}, "data": {}}

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.dates() | st.binary(max_size=3)
)
keys = st.sampled_from(["class_path", "init_args", "model", "0"]) | st.integers(0, 3) | st.none() | st.dates()
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=12
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(keys, trees, max_size=4))
def test_whatever_yaml_can_say_has_a_fingerprint(config: dict[Any, Any]) -> None:
    found = flat(config)
    assert all(isinstance(key, str) for key in found)
    json.dumps(found, sort_keys=True)
    assert fingerprint(config) == fingerprint(plain(config))
    assert len(fingerprint(config)) == 8


def test_what_json_has_stays_as_it_is() -> None:
    config = {"a": [1, 2.5, None, True, "x"], "b": {"c": -3}}
    assert plain(config) == config
    assert plain({1: {date(2026, 1, 1): date(2026, 1, 2)}}) == {"1": {"2026-01-01": "2026-01-02"}}
    assert plain(16**5000) == "0x1" + "0" * 5000  # a number of more digits than Python prints


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model": None}, "model is null"),
        ({"model": [1]}, r"model is \[1\]"),
        ({"trainer": "x"}, 'trainer is "x"'),
        ({"kimg": "1"}, 'kimg is "1"'),
        ({"kimg": True}, "kimg is true"),
        ({"kimg": float("nan")}, "kimg is NaN"),
        ({"name": 7}, "name is 7"),
        ({"data": ...}, "it has no data"),
    ],
)
def test_what_configures_no_run_is_named(changes: dict[str, Any], says: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(WHOLE))
    assert configuration(path) == WHOLE
    path.write_text(yaml.safe_dump({key: value for key, value in {**WHOLE, **changes}.items() if value is not ...}))
    with pytest.raises(UserError, match=rf"{path} is the configuration of no run \({says}\)"):
        configuration(path)
