from __future__ import annotations

from pathlib import Path

import pytest

from ganlit.errors import UserError
from ganlit.metrics.columns import choose

OFTEN = "fid150/inception@1a/legacy/digits-train@9f/ema"
END = "fid2k/inception@1a/legacy/digits-train@9f/ema"
FLOOR = "floor-fid2k/inception@1a/legacy/digits-train@9f/images"
COLUMNS = ["kimg", "discriminator/loss", OFTEN, END, FLOOR]


def test_a_metric_is_called_by_the_beginning_of_its_id() -> None:
    for name in ("fid150", "fid150/inception@1a", OFTEN):
        assert choose(name, COLUMNS, Path("m.csv")) == OFTEN
    assert choose("floor-fid", COLUMNS, Path("m.csv")) == FLOOR
    assert choose("discriminator/loss", COLUMNS, Path("m.csv")) == "discriminator/loss"


def test_a_metric_that_may_be_two_or_none_is_refused() -> None:
    with pytest.raises(UserError, match=rf"fid may be any of {OFTEN}, {END} in m.csv: write fid150 or fid2k\.$"):
        choose("fid", COLUMNS, Path("m.csv"))
    with pytest.raises(UserError, match=r"fid1 is not in m.csv: name one of fid150.*; did you mean fid150\?"):
        choose("fid1", COLUMNS, Path("m.csv"))
    with pytest.raises(UserError, match=r"did you mean discriminator/loss\?"):
        choose("discriminator/los", COLUMNS, Path("m.csv"))
    with pytest.raises(UserError, match=r"fid is not in m.csv: name one of 9/@, @/\.$"):
        choose("fid", ["9/@", "@/"], Path("m.csv"))


def test_a_metric_is_called_by_how_its_items_were_made() -> None:
    of = {name: f"{name}/inception@1a/legacy/digits-train@9f/ema" for name in ("fid2k", "kid2k-100x1000")}
    made = {making: f"{of['fid2k']}-{making}" for making in ("reconstruction", "prior")}
    both = [*made.values(), *(f"{of['kid2k-100x1000']}-{making}" for making in made)]
    psnr = "psnr2k/-/-/digits-train@9f/ema-reconstruction"
    for name in ("rfid", "rfid2k", "rfid2k/inception@1a", "fid:reconstruction", "fid2k:reconstruction"):
        assert choose(name, [*both, psnr], Path("m.csv")) == made["reconstruction"]
    for name in ("fid:prior", "fid2k:prior"):
        assert choose(name, [*both, psnr], Path("m.csv")) == made["prior"]
    assert choose("fid", [made["reconstruction"], psnr], Path("m.csv")) == made["reconstruction"]
    assert choose("psnr", [*both, psnr], Path("m.csv")) == psnr
    for name, ways in {"fid": "rfid or fid:prior", "kid": "kid:reconstruction or kid:prior"}.items():
        with pytest.raises(UserError, match=rf"{name} may be any of .* in m.csv: write {ways}\.$"):
            choose(name, both, Path("m.csv"))
    for name in ("rkid", "fid:", "psnr:prior", "rfid:prior"):
        with pytest.raises(UserError, match=f"{name} is not in m.csv"):
            choose(name, [*both, psnr], Path("m.csv"))
