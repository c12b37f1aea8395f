"""In which precision two players are trained, and where bfloat16 is worth asking for."""

from __future__ import annotations

import torch

PRECISIONS = ("32-true", "bf16-mixed")


def native_bf16(device: torch.device | str) -> bool:
    """Whether the processor behind `device` multiplies bfloat16 in hardware: emulated, it is many times slower."""
    kind = torch.device(device).type
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if kind != "cpu":
        return False
    if hasattr(torch.cpu, "get_capabilities"):
        found = torch.cpu.get_capabilities()
        return bool(found.get("avx512_bf16") or found.get("amx_bf16"))
    return torch.cpu._is_avx512_bf16_supported()
