"""Random numbers that belong to items: a pure function of seed, item and which draw it is, the same on every device."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import Tensor

from ganlit.errors import within

GOLDEN = 0x9E3779B97F4A7C15  # the odd number nearest to 2^64 over the golden ratio
FEW = 6.0  # the rate from which on a Poisson distribution is smooth enough to be computed from a normal one
MOST_OF_FEW = 30  # more than that have a probability of 1e-12 at this rate


def signed(number: int) -> int:
    """The number of 64 bits, modulo 2^64, as int64 holds it."""
    return (number + 2**63) % 2**64 - 2**63


def shifted(bits: Tensor, by: int) -> Tensor:
    """Bits moved to the right with zeros coming in, which int64 itself does not do where it is negative."""
    return (bits >> by).bitwise_and_(2 ** (64 - by) - 1)


def mixed(bits: Tensor) -> Tensor:
    """Each number of 64 bits to another one that looks unrelated: SplitMix64, Steele et al. 2014, figure 18."""
    bits = (bits ^ shifted(bits, 30)).mul_(signed(0xBF58476D1CE4E5B9))
    bits = bits.bitwise_xor_(shifted(bits, 27)).mul_(signed(0x94D049BB133111EB))
    return bits.bitwise_xor_(shifted(bits, 31))


class Draws:
    """Random numbers of a batch, each item's by its own key.

    What an item gets follows from the seed, its key and the number of the call, whatever else is in the batch. Integers
    and uniform numbers are the same to the bit on every device; what is computed from them is, but for the last bits.

    Args:
        keys: [B] int64, of any value, on the device on which numbers are wanted.
        seed: of any value; what lies 2^64 apart is the same.
    """

    def __init__(self, keys: Tensor, seed: int = 0) -> None:
        # Two keys of a seed never share a stream, and neighbours look unrelated.
        self.streams = mixed(mixed(torch.full_like(keys, signed(seed * GOLDEN))) + keys)
        self.calls = 0
        self.rows = torch.arange(len(keys), device=keys.device)  # where these items are in the whole batch
        self.whole = len(keys)
        self.path = ""
        self.told: dict[str, Tensor] = {}  # by name [B] float32, NaN for items that have no such number

    def __len__(self) -> int:
        return len(self.streams)

    @property
    def device(self) -> torch.device:
        return self.streams.device

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """[B, *shape] float32 from `low`, included, to `high`, in 2^24 steps."""
        return shifted(self._bits(shape), 40).float().mul_((high - low) * 2.0**-24).add_(low)

    def normal(self, *shape: int) -> Tensor:
        """[B, *shape] float32 of mean 0 and deviation 1: Box and Muller 1958, two numbers of each 64 bits."""
        count = math.prod(shape)
        bits = self._bits([(count + 1) // 2])
        radius = shifted(bits, 32).add_(1).float().mul_(2.0**-32).log_().mul_(-2).sqrt_()
        angle = (bits & (2**32 - 1)).float().mul_(2.0**-32 * math.tau)
        both = torch.cat([radius * angle.cos(), radius * angle.sin()], dim=1)
        return both[:, :count].reshape(len(self), *shape)

    def integers(self, high: int, *shape: int) -> Tensor:
        """[B, *shape] int64 from 0 to `high`, not included, which is 2^31 at most."""
        within("Draws.integers.high", high, least=1, most=2**31)
        return (shifted(self._bits(shape), 32) * high) >> 32

    def chance(self, p: float) -> Tensor:
        """[B] bool, true with probability p."""
        return self.uniform() < p

    def choice(self, chances: Sequence[float]) -> Tensor:
        """[B] int64: which of several things; beyond the last one, what their probabilities leave to 1."""
        share = self.uniform()
        limits = [limit if limit < 1 - 1e-6 else 1.0 for limit in accumulate(chances)]  # thirds may add up to less
        return sum((share >= limit for limit in limits), torch.zeros_like(self.streams))

    def poisson(self, rate: Tensor) -> Tensor:
        """[B, ...] counts, in the type of their rates [B, ...]; no gradient passes.

        Few are counted by inverting the distribution, many by its expansion about the normal one: Giles 2016,
        "Algorithm 955", equation 7, rounded down.
        """
        rate, shape = rate.detach(), rate.shape[1:]
        few = rate.clamp(max=FEW)
        share = self.uniform(*shape)
        probability = few.neg().exp()
        below, count = probability.clone(), torch.zeros_like(few)
        for number in range(1, MOST_OF_FEW):
            count += share >= below
            probability *= few / number
            below += probability
        normal, root = self.normal(*shape), rate.clamp(min=FEW).sqrt()
        square = normal**2
        many = root**2 + root * normal + (2 + square) / 6 - normal * (2 + square) / (72 * root)
        many += (-32 + 14 * square + 6 * square**2) / (1620 * root**2)
        return torch.where(rate < FEW, count, many.floor().clamp_(min=0))

    def part(self, name: str = "") -> Draws:
        """Draws of a step of something larger: however many it makes, what follows it here stays the same.

        Args:
            name: before the names of what it tells.
        """
        return self._derived(mixed(self._start()), 0, self.rows, f"{self.path}{name}/" if name else self.path)

    def of(self, rows: Tensor) -> Draws:
        """What these would draw next for some of the items [b] int64; what is told of them is told here."""
        streams = self.streams[rows]
        return self._derived(streams, self.calls, self.rows[rows], self.path)

    def tell(self, name: str, values: Tensor) -> None:
        """Keeps what was drawn for each item, [B] numbers, under a name such as `noise/sigma`."""
        blank = torch.full([self.whole], torch.nan, device=values.device)
        self.told.setdefault(f"{self.path}{name}", blank)[self.rows] = values.detach().float()

    def _derived(self, streams: Tensor, calls: int, rows: Tensor | None, path: str) -> Draws:
        derived = Draws.__new__(Draws)
        derived.streams, derived.calls, derived.rows, derived.path = streams, calls, rows, path
        derived.whole, derived.told = self.whole, self.told
        return derived

    def _start(self) -> Tensor:
        """[B] int64: where the numbers of the next call begin."""
        self.calls += 1
        return mixed(self.streams + signed(self.calls * GOLDEN))

    def _bits(self, shape: Sequence[int]) -> Tensor:
        """[B, *shape] of 64 random bits."""
        start = self._start()
        elements = torch.arange(math.prod(shape), device=start.device).mul_(signed(GOLDEN))
        return mixed(start[:, None] + elements).reshape(len(self), *shape)
