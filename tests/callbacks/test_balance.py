from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganlit.callbacks.balance import Balance
from ganlit.callbacks.loggers.board import Board


class Notes(Board):
    """Keeps what it is told."""

    name = version = "notes"

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[dict[str, float]] = []
        self.histograms: list[tuple[float, Mapping[str, np.ndarray]]] = []

    def log_hyperparams(self, *_: Any, **__: Any) -> None: ...

    def log_media(self, name: str, files: Sequence[Path], kimg: float) -> None: ...

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        self.rows.append(dict(metrics))

    def log_histograms(self, values: Mapping[str, np.ndarray], kimg: float) -> None:
        self.histograms.append((kimg, values))

    def log_outcome(self, *_: Any) -> None: ...


def test_boards_get_scores_by_short_name_and_the_logits_of_each_tick(fit: Any, scripted: Any) -> None:
    notes, fidelity = Notes(), scripted(9.0, 8.0)
    run = fit(0.8, fidelity, Balance(fidelity), logger=notes)
    assert [(row["kimg"], row["fid"]) for row in notes.rows if "fid" in row] == [(0.4, 9.0), (0.8, 8.0)]
    assert [kimg for kimg, _ in notes.histograms] == [0.4, 0.8]
    last = notes.histograms[-1][1]
    assert {name: values.shape for name, values in last.items()} == {"logits/real": (100,), "logits/fake": (100,)}
    assert np.array_equal(last["logits/real"], run.module.logits["real"].numpy())


def test_the_fid_of_reconstructions_has_a_short_name_of_its_own(fit: Any, scripted: Any) -> None:
    notes, fidelity = Notes(), scripted(9.0)
    fidelity.number += "-reconstruction"
    fit(0.4, fidelity, Balance(fidelity), logger=notes)
    assert [row["rfid"] for row in notes.rows if "rfid" in row] == [9.0]
    assert not any("fid" in row for row in notes.rows)


def test_training_does_not_notice(fit: Any) -> None:
    plain, watched = fit(0.4), fit(0.4, Balance(), logger=Notes())
    pairs = zip(plain.module.state_dict().values(), watched.module.state_dict().values(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)
