from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from extractors import Quarters
from squares import SIZE, paint, part, tiny, within
from torch import Tensor

from ganlit.cli.main import main


class Counting(Quarters):
    """Counts the images that all of its kind have seen."""

    home = "here.pth"
    seen = 0

    def encode(self, images: Tensor) -> dict[str, Tensor]:
        Counting.seen += len(images)
        return super().encode(images)


class Counted(NamedTuple):
    code: int
    out: str
    err: str
    seen: int  # images that went through the extractor


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A folder of each test's own, whose cache is empty."""
    data = {"source": "digits", "resolution": 32, "batch": 50}
    configuration = tiny(data=data, fidelity={"metrics": ["fid", "prdc", "probe", "memorisation"]})
    with within(tmp_path, configuration, Counting):
        yield tmp_path


@pytest.fixture
def ganlit(ganlit: Any) -> Callable[..., Counted]:
    def run(command: str, *args: str) -> Counted:
        before = Counting.seen
        answer = ganlit(command, "--config", "tiny.yaml", *args)
        return Counted(*answer, Counting.seen - before)

    return run


def test_what_a_training_needs_is_brought_here(place: Path, ganlit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = ganlit("prepare")
    assert (answer.code, answer.err, answer.seen) == (0, "", 5000)
    assert f"data     digits-train: 5,000 images, 5.1 MB in {place / 'cache' / 'images'}\n" in answer.out
    assert "weights  tiny@0a1b2c3d/none: 0.0 MB in here.pth\n" in answer.out
    assert "real     digits-train@" in answer.out
    assert f" MB in {place / 'cache' / 'statistics'}" in answer.out
    assert not (place / "runs").exists()
    cached = {path: path.stat().st_mtime_ns for path in (place / "cache").rglob("*") if path.is_file()}
    assert {"probe.pt", "radii1.pt", "radii5.pt", "rows.pt", "sums.pt"} <= {path.name for path in cached}

    def unreachable(*_: Any, **__: Any) -> None:
        raise OSError("there is no network here")

    monkeypatch.setattr(socket, "socket", unreachable)
    again = ganlit("prepare")
    assert (again.code, again.seen) == (0, 0)
    assert again.out.count(" MB in ") == 3
    fitted = ganlit("fit")
    assert (fitted.code, fitted.seen) == (0, 20 + 40)  # generated images alone
    assert {path: path.stat().st_mtime_ns for path in cached} == cached


def test_an_extractor_of_two_makings_is_told_once_and_what_needs_no_real_items_sees_none(
    place: Path, ganlit: Any
) -> None:
    model = {"generator": part("ConvVAE", **SIZE, z_dim=4, width=4), "criteria": [part("L1")]}
    (place / "tiny.yaml").write_text(tiny("Translation", model))
    paint(place / "squares")
    both = ganlit("prepare", "--fidelity.metrics=psnr,fid,fid:prior,memorisation:prior")
    assert (both.code, both.seen) == (0, 100)
    assert [both.out.count(f"\n{word} ") for word in ("weights ", "real    ")] == [1, 1]
    alone = ganlit("prepare", "--fidelity.metrics=is@efficientnet-lite0")
    assert (alone.code, alone.seen) == (0, 0)
    assert "weights  efficientnet-lite0@" in alone.out
    assert "\nreal " not in alone.out
    assert "Real statistics" not in alone.out


def test_without_fidelity_there_are_only_data(place: Path, ganlit: Any) -> None:
    answer = ganlit("prepare", "--fidelity", "null")
    assert (answer.code, answer.seen) == (0, 0)
    assert "digits-train" in answer.out
    assert "real " not in answer.out
    assert not (place / "cache" / "statistics").exists()


def test_the_machine_that_prepares_has_not_the_devices_of_the_training(ganlit: Any) -> None:
    devices = ["--trainer.accelerator=gpu", "--trainer.devices=4", "--trainer.num_nodes=2"]
    assert ganlit("prepare", "--fidelity=null", *devices).code == 0


def test_it_takes_what_fit_takes(place: Path, ganlit: Any) -> None:
    overlay = place / "overlay.yaml"
    overlay.write_text("name: another\nfidelity: {reference_images: 300, metrics: [fid]}\n")
    answer = ganlit("prepare", "--config", str(overlay), "--kimg", "3", "--resume")
    assert (answer.code, answer.seen) == (0, 300)
    assert ganlit("fit", "--fidelity", "null", "--name", "done").code == 0
    assert main(["prepare", "--config", "runs/done/config.yaml"]) == 0
    wrong = ganlit("prepare", "--kimgs", "3")
    assert (wrong.code, wrong.err) == (2, "error: unknown key kimgs; did you mean kimg?\n")


def test_too_few_real_items_are_refused_before_they_are_seen(place: Path, ganlit: Any) -> None:
    paint(place / "squares")
    for index in range(5, 100):
        (place / "squares" / ("dark", "light")[index % 2] / f"{index}.png").unlink()
    few = ["--data.init_args.source=squares", "--data.init_args.resolution=16", "--data.init_args.batch=4"]
    for command in ("prepare", "fit"):
        answer = ganlit(command, *few)
        assert (answer.code, answer.seen) == (2, 0)
        assert 'squares has 5 real items, and "prdc" needs 6: add some, or do not measure "prdc".' in answer.err
    assert not list(place.glob("runs/*/checkpoints"))


def test_what_cannot_be_measured_is_said_ahead(place: Path, ganlit: Any) -> None:
    answer = ganlit("prepare", "--fidelity.metrics=[is,fid]")
    assert answer.code == 0
    assert "not measured: is, for the weights of tiny have no classifier head\n" in answer.out
    answer = ganlit("prepare", "--fidelity.metrics=[is]")
    assert (answer.code, answer.seen) == (2, 0)
    assert "fidelity.metrics leaves nothing to measure: not is, for" in answer.err
    answer = ganlit("prepare", "--data.init_args.val_images=5")
    assert (answer.code, answer.seen) == (2, 0)
    assert 'data.init_args.val_images is 5, and "prdc" needs 6' in answer.err
    for metric in ("psnr", "fid:prior", "codes", "iwae"):
        answer = ganlit("prepare", f"--fidelity.metrics=fid,{metric}")
        assert (answer.code, answer.seen) == (2, 0)
        why = "DCGenerator makes items from noise, not from others: leave it out."
        assert answer.err == f"error: fidelity.metrics asks for {metric}, but {why}\n"
