"""How much a term counts among the others of a generator, and from when to when."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganlit.errors import UserError, within


class Weight(nn.Module):
    """A constant, from a place on the clock on, and perhaps to another.

    Before `start` the generator learns by its criteria alone. The discriminator begins `lead` earlier, against a
    generator that does not answer yet: one that knows nothing pushes the generator anywhere, and ruins what it has
    learnt.

    Args:
        weight: factor of the term, 0 or more.
        start: kimg from which on it reaches the generator.
        lead: kimg before that, in which the discriminator learns alone.
        ramp: kimg from `start` over which the factor rises from 0, in proportion; 0 has it there at once.
        end: kimg from which on it does not count any more; by default it always does.

    Raises:
        UserError: an argument is out of its range.
    """

    adaptive = False
    """Whether the gradient of the term has to be known apart from that of the others."""

    def __init__(
        self,
        weight: float = 1.0,
        start: float = 0.0,
        lead: float = 0.0,
        ramp: float = 0.0,
        end: float | None = None,
    ) -> None:
        super().__init__()
        own = type(self).__name__
        for key, value in {"weight": weight, "start": start, "lead": lead, "ramp": ramp}.items():
            within(f"{own}.{key}", value, least=0)
        if lead > start:
            raise UserError(f"{own}.lead is {lead:g} kimg, but there are {start:g} before {own}.start: start later.")
        if end is not None and not end > start:
            raise UserError(f"{own}.end is {end:g} kimg, but {own}.start {start:g}: end later.")
        self.weight, self.start, self.lead, self.ramp, self.end = weight, start, lead, ramp, end
        self.scale = 1.0  # what a guard has left of it

    @property
    def begins(self) -> float:
        """Kimg from which on the discriminator plays; a sum of clocks is no other one by its last bits."""
        return round(self.start - self.lead, 9)

    def judges(self, kimg: float) -> bool:
        """Whether the discriminator plays: never for a term that counts nothing."""
        return self.weight > 0 and kimg >= self.begins and not self.over(kimg)

    def over(self, kimg: float) -> bool:
        """Whether it does not count any more."""
        return self.end is not None and kimg >= self.end

    def counts(self, kimg: float) -> bool:
        """Whether the term reaches the generator."""
        return kimg >= self.start and not self.over(kimg)

    def at(self, kimg: float) -> float:
        """The factor."""
        if not self.counts(kimg):
            return 0.0
        risen = min(1.0, (kimg - self.start) / self.ramp) if self.ramp else 1.0
        return self.weight * self.scale * risen


class AdaptiveWeight(Weight):
    """The factor times what makes the term pull at the generator's last layer as strongly as all others together.

    VQGAN, Esser et al., arXiv 2012.09841, equation 7: the ratio of the norms of both gradients, clamped.

    Args:
        weight: factor of the ratio; 0.8 in the paper's own configurations.
        start: as for `Weight`, and so are the next two.
        lead: see there.
        ramp: see there.
        most: largest ratio.
        end: as for `Weight`.
    """

    adaptive = True

    def __init__(
        self,
        weight: float = 1.0,
        start: float = 0.0,
        lead: float = 0.0,
        ramp: float = 0.0,
        most: float = 1e4,
        end: float | None = None,
    ) -> None:
        super().__init__(weight, start, lead, ramp, end)
        within("AdaptiveWeight.most", most, above=0)
        self.most = most

    def ratio(self, others: Tensor, adversarial: Tensor) -> Tensor:
        """The scalar by which the adversarial gradient is stretched, from both gradients of the last layer."""
        norms = [torch.linalg.vector_norm(gradient) for gradient in (others, adversarial)]
        return (norms[0] / (norms[1] + 1e-6)).clamp(0, self.most)
