from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ganlit.records.settings import Class, flat
from ganlit.studies.report.record import Run
from ganlit.studies.report.settings import Missing, Parameter, group, shown, varied


def runs_of(*configs: dict[str, Any]) -> list[Run]:
    return [Run(Path(str(index)), config) for index, config in enumerate(configs)]


def optimizer(lr: float, kind: str = "torch.optim.Adam") -> dict[str, Any]:
    return {"class_path": kind, "init_args": {"lr": lr}}


def test_runs_of_other_seeds_names_and_places_are_one_setting() -> None:
    runs = runs_of(
        {"seed": 0, "name": "a", "model": {"lr": 1}, "wandb": {"group": "x"}, "trainer": {"default_root_dir": "p"}},
        {"seed": 1, "name": "b", "model": {"lr": 1}, "wandb": None, "trainer": {"default_root_dir": "q"}},
    )
    parameters, found = group(runs)
    assert parameters == []
    assert [(setting.values, setting.runs) for setting in found] == [((), runs)]


def test_a_title_is_the_shortest_end_that_means_nothing_else() -> None:
    one = {"model": {"init_args": {"g": optimizer(1), "d": optimizer(1), "width": 3}}}
    other = {"model": {"init_args": {"g": optimizer(2), "d": optimizer(1), "width": 4}}}
    third = {"model": {"init_args": {"g": optimizer(2), "d": optimizer(1), "width": 3}}}
    parameters, found = group(runs_of(one, other, third))
    assert [parameter.title for parameter in parameters] == ["g.lr", "width"]
    assert [setting.values for setting in found] == [(1, 3), (2, 4), (2, 3)]


def test_keys_that_go_together_are_one_parameter() -> None:
    both = [{"model": {"init_args": {"g": optimizer(lr), "d": optimizer(lr)}}} for lr in (1, 2)]
    parameters, found = group(runs_of(*both))
    assert [parameter.title for parameter in parameters] == ["lr"]
    assert [setting.values for setting in found] == [(1,), (2,)]


def test_null_is_a_value_and_missing_is_none() -> None:
    parameters, found = group(runs_of({"model": {"clip": None}}, {"model": {"clip": 1}}, {"model": {"more": 1}}))
    assert [parameter.title for parameter in parameters] == ["clip", "more"]
    assert [tuple(map(shown, setting.values)) for setting in found] == [("null", "–"), ("1", "–"), ("–", "1")]  # noqa: RUF001
    assert found[0].values == (None, Missing())


def test_another_class_is_one_difference_and_not_each_of_its_arguments() -> None:
    ada = {"class_path": "ganlit.augment.adaptive.ADA", "init_args": {"p": 0.2, "speed": 1.0}}
    stronger = {**ada, "init_args": {"p": 0.4, "speed": 1.0}}
    parameters, found = group(runs_of(*({"augment": augment} for augment in (None, ada, stronger))))
    assert [parameter.title for parameter in parameters] == ["augment", "p"]
    assert [tuple(map(shown, setting.values)) for setting in found] == [("null", "–"), ("ADA", "0.2"), ("ADA", "0.4")]  # noqa: RUF001


def test_of_a_list_with_classes_the_names_are_told_and_then_the_arguments() -> None:
    def regularized(*weights: float) -> dict[str, Any]:
        return {"r": [{"class_path": "a.R1", "init_args": {"weight": weight}} for weight in weights]}

    parameters, found = group(runs_of(regularized(1), regularized(2), regularized(1, 3), regularized()))
    assert [parameter.title for parameter in parameters] == ["r", "r.0.weight"]
    rows = [tuple(map(shown, setting.values)) for setting in found]
    assert rows == [("[R1]", "1"), ("[R1]", "2"), ("[R1, R1]", "1"), ("[]", "–")]  # noqa: RUF001


def test_a_title_leaves_the_table_its_own() -> None:
    assert varied([{"kimg": 1}, {"kimg": 2}], {"kimg"}) == [Parameter("config.kimg", "kimg")]


def test_only_classes_lose_their_path() -> None:
    assert shown("photos.zip") == "photos.zip"
    assert shown(Class("torch.optim.Adam")) == "Adam"
    assert flat({"model": {"class_path": "a.B", "init_args": {"c": [0.0, 0.9]}}}) == {
        "model": "a.B",
        "model.c": [0.0, 0.9],
    }


values = st.none() | st.integers(0, 2) | st.sampled_from(["x", "y"]) | st.lists(st.integers(0, 1), max_size=2)
trees = st.dictionaries(st.sampled_from("abc"), values | st.dictionaries(st.sampled_from("abc"), values, min_size=1))


@settings(max_examples=100, deadline=None)
@given(st.lists(trees, min_size=1, max_size=6))
def test_settings_are_told_apart_by_what_is_shown(configs: list[dict[str, Any]]) -> None:
    parameters, found = group(runs_of(*configs))
    assert sum(len(setting.runs) for setting in found) == len(configs)
    shown_values = [tuple(map(repr, setting.values)) for setting in found]
    assert len(set(shown_values)) == len(found)
    assert len({parameter.title for parameter in parameters}) == len(parameters)
    for setting in found:
        assert all(flat(run.config) == flat(setting.runs[0].config) for run in setting.runs)
