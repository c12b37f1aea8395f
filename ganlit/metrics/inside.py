"""What a generator says of items beside its output: how it uses its codebook, and how probable they are to it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.special import entr

from ganlit.contracts import Modality
from ganlit.errors import UserError
from ganlit.metrics.extractors import extractor
from ganlit.metrics.features import exact_float32
from ganlit.metrics.gauges import Alone, Gauge, Means, Pairs, Shown, Whole, named
from ganlit.metrics.groups import Group, Real, Side
from ganlit.metrics.images.path_length import path_lengths
from ganlit.metrics.likeness import Plain
from ganlit.metrics.measure import Measured
from ganlit.metrics.paired import Comparison
from ganlit.metrics.protocol import Protocol
from ganlit.metrics.ranks import rank, total

DRAWS = 16
"""From the posterior of each item."""


class Codes(Gauge):
    """How much of a codebook is used: the share of the entries that were chosen, and exp of the entropy of their use.

    Of several levels, each of which has a codebook, it is the share in all, and exp of the mean of the entropies.

    Args:
        codes: entries of a codebook.
        levels: of the codes [B, levels, ...]; of one, codes are [B, ...].
        reference: what the items are made from: dataset, split and content.
        device: on which the ranks can exchange tensors.
    """

    def __init__(self, codes: int, levels: int, reference: str, device: torch.device) -> None:
        self.used = torch.zeros(levels, codes, dtype=torch.int64)
        self.count = 0
        self.reference, self.device = reference, device

    def add(self, shown: Shown) -> None:
        self.made = shown.made
        codes, (levels, entries) = shown.sampled.side["codes"].cpu(), self.used.shape
        if int(codes.max()) >= entries:
            raise UserError(f"The generator hands out the code {codes.max()} of {entries}: mend its codes.")
        for level, those in enumerate(codes.reshape(len(codes), levels, -1).unbind(1)):
            self.used[level] += those.flatten().bincount(minlength=entries)
        self.count += len(shown.places)

    def finish(self) -> list[Measured]:
        used, count = total(self.used, self.device), int(total(torch.tensor(self.count), self.device))
        if rank() > 0:
            return []
        share = used.double() / used.sum(1, keepdim=True)
        values = {"code-use": (used > 0).double().mean(), "code-perplexity": entr(share).sum(1).mean().exp()}
        levels, entries = used.shape
        variant = f"{levels}x{entries}codes" if levels > 1 else f"{entries}codes"
        return [
            Measured(Protocol(name, count, variant, "-/-", self.reference, self.made), float(value))
            for name, value in values.items()
        ]


class Bounds(Means):
    """What a variational autoencoder would need at most to say an item, in bits for each of its numbers.

    "elbo" is that of Kingma and Welling, arXiv 1312.6114, "iwae" the tighter one of Burda et al., arXiv 1509.00519,
    equation 8, by the same draws from the posterior, under a standard normal prior. The likelihood's name is part of
    the id: one of stored values counts their bits, a density or a cross entropy something else.

    Args:
        metrics: "elbo", "iwae" or both.
        generator: the autoencoder: it has `encode`, `decode` and `likelihood`.
        draws: from the posterior of each item, by seeds that are the same for any number of ranks.
        reference: the items: dataset, split and content.
        device: on which the ranks can exchange tensors.
    """

    what = "items"

    def __init__(
        self, metrics: Sequence[str], generator: nn.Module, draws: int, reference: str, device: torch.device
    ) -> None:
        super().__init__(reference, device)
        self.metrics, self.generator, self.draws = metrics, generator, draws

    def seen(self, shown: Shown) -> dict[str, Tensor]:
        weights, likelihood = self._weights(shown)
        least = {"elbo": weights.mean(0), "iwae": weights.logsumexp(0) - math.log(self.draws)}
        nats_to_bits = math.log(2) * shown.sampled.reference[0].numel()
        variant = f"k{self.draws}-{likelihood.lower()}"
        return {f"{name}-{variant}": -least[name].cpu() / nats_to_bits for name in self.metrics}

    def _weights(self, shown: Shown) -> tuple[Tensor, str]:
        """log p(x, z) - log q(z|x), [draws, B] in float64, and the name of the likelihood."""
        source, target = shown.sampled.source, shown.sampled.reference
        label = torch.zeros_like(shown.places) if shown.labels is None else shown.labels
        label, stream = label.to(source.device), torch.Generator().manual_seed(int(shown.places[0]))
        weights = []
        with torch.autocast(source.device.type, enabled=False), exact_float32():
            posterior = self.generator.encode(source, label).side["posterior"]
            for _ in range(self.draws):
                noise = torch.randn(posterior.mean.shape, generator=stream).to(posterior.mean)
                latent = posterior.mean + posterior.stddev * noise
                likelihood = self.generator.likelihood(self.generator.decode(latent, label))
                ratio = (noise.square() - latent.square()) / 2 + posterior.stddev.log()  # of prior and posterior
                weights.append(summed(likelihood.log_prob(target)) + summed(ratio))
        return torch.stack(weights), type(likelihood).__name__


class Likelihood(Means):
    """How improbable items of symbols are to a generator that says so: -log p in nats, the mean over an item's symbols.

    The end of an item is one of them, and what is behind it none.

    Args:
        generator: it tells scores [B, L, symbols] of each symbol of items [B, L] int64 by those before it.
        modality: of the items, which says where they end.
        reference: the items: dataset, split and content.
        device: on which the ranks can exchange tensors.
    """

    what = "items"

    def __init__(self, generator: nn.Module, modality: Modality, reference: str, device: torch.device) -> None:
        super().__init__(reference, device)
        self.generator, self.modality = generator, modality

    def seen(self, shown: Shown) -> dict[str, Tensor]:
        items = shown.sampled.reference
        label = torch.zeros_like(shown.places) if shown.labels is None else shown.labels
        with torch.autocast(items.device.type, enabled=False), exact_float32():
            logits = self.generator(items, label.to(items.device))
        each = cross_entropy(logits.double().mT, items, reduction="none")
        counted = self.modality.counted(items)
        return {"nll": (each.where(counted, 0).sum(1) / counted.sum(1)).cpu()}


class Others(NamedTuple):
    """What those metrics need that are not about sets of items."""

    comparisons: Mapping[str, Comparison]  # by how they are asked for, as are the next
    plains: Mapping[str, Plain]
    generator: nn.Module | None  # the average
    draws: int
    sides: Mapping[Side, Real]
    device: torch.device

    def gauge(self, group: Group) -> Gauge:
        """That of a group of them."""
        where = named(self.sides[group.side].reference), self.device
        match group.kind:
            case "plain":
                asked = {metric: self.plains[group.name(metric)] for metric in group.metrics}
                return Whole(asked, self.device, group.making)
            case "nll":
                return Likelihood(self.generator, self.sides[group.side].modality, *where)
            case "pairs":
                return Pairs([self.comparisons[metric] for metric in group.metrics], *where, group.making)
            case "alone":
                return Alone([self.comparisons[metric] for metric in group.metrics], "-", self.device, group.making)
            case "paths":
                kind = self.sides[group.side].modality.name
                return path_lengths(self.generator, extractor(group.extractor), kind, self.device)
            case "codes":
                return Codes(self.generator.codes, getattr(self.generator, "levels", 1), *where)
            case _:
                return Bounds(group.metrics, self.generator, self.draws, *where)


def summed(values: Tensor) -> Tensor:
    """[B, ...] to [B], in float64."""
    return values.double().flatten(1).sum(1)
