"""The contrastive criterion of CUT: Park et al., arXiv 2007.15651, section 3."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from ganlit.errors import within
from ganlit.losses.base import Attempt, Criterion


class PatchNCE(Criterion):
    """A patch of the output is to be known by the source's patch at its place, among others of the same source.

    Equation 4, and with `identity` the second such term of equation 5; the mean over places and depths, as in the
    authors' code (taesungp/contrastive-unpaired-translation), where the paper writes sums. As there, patches of the
    source are constants: the gradient comes by those of the output. CUT has both terms at weight 1, FastCUT the first
    alone at 10.

    Args:
        weight: its factor.
        name: what it is logged by; by default "patchnce" or "patchnce-identity".
        temperature: by which likenesses are divided.
        patches: of each depth, at most.
        identity: compare the target with what the generator makes of it, in place of source and output.

    Raises:
        UserError: a value is out of its range.
    """

    def __init__(
        self,
        weight: float = 1.0,
        name: str | None = None,
        temperature: float = 0.07,
        patches: int = 256,
        identity: bool = False,
    ) -> None:
        super().__init__(weight, name or ("patchnce-identity" if identity else None))
        within("PatchNCE.temperature", temperature, above=0)
        within("PatchNCE.patches", patches, least=2)
        self.temperature = temperature
        self.patches = patches
        self.identity = identity

    def forward(self, attempt: Attempt) -> Tensor:
        vectors = attempt.handed("patches", self)
        given, made = attempt.source, attempt.output
        if self.identity:
            given, made = attempt.target, attempt.handed("translate", self)(attempt.target)
        # Not under no_grad, in which autocast would keep weights without a gradient for the second call.
        keys, places = vectors(given, self.patches)
        queries, _ = vectors(made, places)
        pairs = zip(queries, keys, strict=True)
        return torch.stack([contrast(query, key.detach(), self.temperature) for query, key in pairs]).mean()


def contrast(query: Tensor, key: Tensor, temperature: float) -> Tensor:
    """Equation 3, its mean over queries: how hard it is to tell the key of each from those of its item's others.

    Args:
        query: [B, S, d] of length one.
        key: [B, S, d] of length one; a query's own stands at its place.
        temperature: by which their products are divided.
    """
    with torch.autocast(query.device.type, enabled=False):
        logits = query @ key.transpose(1, 2) / temperature
        own = torch.arange(query.shape[1], device=query.device).repeat(len(query))
        return cross_entropy(logits.flatten(0, 1), own)
