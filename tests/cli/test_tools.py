from __future__ import annotations

from string import digits as DIGITS
from typing import Any

import pytest

from ganlit.callbacks.fidelity import Fidelity
from ganlit.cli.check import check
from ganlit.cli.tools import underscored
from ganlit.data.audio.published import SETS
from ganlit.metrics.groups import called, kinds
from ganlit.studies.evaluation.evaluate import evaluate


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("sweep submit F --max-parallel 8", "sweep submit F --max_parallel=8"),
        ("sweep submit --dry-run F", "sweep submit --dry_run=true F"),
        (
            "sweep retry --failed true F --diverged --preempted false",
            "sweep retry --failed=true F --diverged=true --preempted=false",
        ),
        ("sweep submit F --sbatch --gpu-bind=none", "sweep submit F --sbatch=--gpu-bind=none"),
        ("sweep submit F --sbatch=--gpu-bind=none", "sweep submit F --sbatch=--gpu-bind=none"),
        ("sweep submit F --sbatch --max-parallel=8", "sweep submit F --sbatch=--max-parallel=8"),
        ("sweep submit F --partition --dry-run", "sweep submit F --partition --dry_run=true"),
        ("sweep submit F --max-paralel 8", "sweep submit F --max-paralel 8"),
        ("data check --skip-this photos", "data check --skip-this photos"),
        ("fit --some-key 8", "fit --some-key 8"),
        ("sweep --help", "sweep --help"),
        ("", ""),
    ],
)
def test_options_of_tools_are_understood(given: str, taken: str) -> None:
    assert underscored(given.split()) == taken.split()


def test_a_value_may_be_many_words() -> None:
    value = "--gpu-bind=none\n--max-parallel 3"
    assert underscored(["sweep", "submit", "--sbatch", value]) == ["sweep", "submit", f"--sbatch={value}"]
    assert underscored(["sweep", "submit", f"--sbatch={value}"]) == ["sweep", "submit", f"--sbatch={value}"]


@pytest.mark.parametrize("told", [Fidelity, evaluate])
def test_every_metric_is_named_where_they_are_asked_for(told: Any) -> None:
    words = {word.strip(",.;:").rstrip(DIGITS) for word in told.__doc__.split()}
    assert not {name.rstrip(DIGITS) for name in (*kinds(), *called())} - words  # bleu4 tells that there is a bleu2


def test_every_set_of_recordings_is_named_where_data_are_checked() -> None:
    (source,) = (line for line in check.__doc__.replace("\n            ", " ").splitlines() if "source:" in line)
    assert "recordings" in source
    assert all(name in source for name in SETS)
