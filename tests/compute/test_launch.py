from __future__ import annotations

import pytest

from ganlit.compute.launch import left_behind
from ganlit.errors import UserError

TORCHRUN = {"TORCHELASTIC_RUN_ID": "a", "RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
LIGHTNING = {"NODE_RANK": "0", "LOCAL_RANK": "1", "WORLD_SIZE": "2", "MASTER_PORT": "1234", "MASTER_ADDR": "here"}
SRUN = {"SLURM_STEP_ID": "0", "SLURM_PROCID": "1", "SLURM_NTASKS": "2", "SLURM_LOCALID": "1", "SLURM_JOB_ID": "3"}


@pytest.mark.parametrize("environment", [TORCHRUN, {**TORCHRUN, "GROUP_RANK": "0"}, LIGHTNING, SRUN, {"HOME": "/"}])
def test_what_a_launcher_sets_is_kept(environment: dict[str, str]) -> None:
    after = dict(environment)
    assert left_behind(after) == []
    assert after == environment


@pytest.mark.parametrize(
    "stray",
    [
        *({name: "1"} for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "SLURM_PROCID", "NODE_RANK")),
        *({name: "1"} for name in ("TORCHELASTIC_RUN_ID", "SLURM_ARRAY_JOB_ID", "JSM_NAMESPACE_RANK")),
        {"RANK": "x"},
        {"RANK": "1", "WORLD_SIZE": "2"},
        {"LOCAL_RANK": "1", "WORLD_SIZE": "2"},
    ],
)
def test_what_is_left_of_one_is_taken_out(stray: dict[str, str]) -> None:
    environment = {"HOME": "/", **stray}
    assert sorted(left_behind(environment)) == sorted(f"{name}={value}" for name, value in stray.items())
    assert environment == {"HOME": "/"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"RANK": "x"}, "the variable RANK is 'x', which is no number: unset it"),
        ({"WORLD_SIZE": "-2"}, "the variable WORLD_SIZE is '-2'"),
        ({"RANK": "2"}, "RANK is 2 of 2 processes"),
    ],
)
def test_nonsense_of_a_launcher_is_refused(change: dict[str, str], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        left_behind({**TORCHRUN, **change})
