from __future__ import annotations

import pytest
import torch

from ganlit.compute.precision import native_bf16


@pytest.mark.parametrize(
    ("found", "native"),
    [({"avx512_bf16": True}, True), ({"amx_bf16": True}, True), ({"avx512_f": True, "avx512_bf16": False}, False)],
)
def test_the_processor_is_asked_by_name(monkeypatch: pytest.MonkeyPatch, found: dict[str, bool], native: bool) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: found, raising=False)
    assert native_bf16("cpu") is native


@pytest.mark.parametrize("native", [True, False])
def test_older_torch_is_asked_its_own_way(monkeypatch: pytest.MonkeyPatch, native: bool) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: native)
    assert native_bf16("cpu") is native


def test_emulation_on_a_gpu_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation)
    assert native_bf16("cuda:0") is False


def test_no_claim_is_made_for_other_devices() -> None:
    assert native_bf16("meta") is False
