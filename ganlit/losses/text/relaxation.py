"""Shares of symbols in place of symbols: the discriminator's own gradient reaches the generator."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganlit.contracts import Terms
from ganlit.errors import UserError, within
from ganlit.losses.text.base import END, Estimator, Turn


class Temperature(nn.Module):
    """Falls, or rises, by the same factor each kimg: RelGAN, Nie et al., ICLR 2019, section 2.2 (beta is 1 / tau).

    Args:
        first: before `start`.
        last: from `end` on; RelGAN's are 1 / 100 for captions and 1 / 1000 for news.
        start: kimg.
        end: kimg.

    Raises:
        UserError: a value is out of its range, or the end is not behind the start.
    """

    def __init__(self, end: float, first: float = 1.0, last: float = 0.01, start: float = 0.0) -> None:
        super().__init__()
        for key, value in {"first": first, "last": last}.items():
            within(f"Temperature.{key}", value, above=0)
        within("Temperature.start", start, least=0)
        if not end > start:
            raise UserError(f"Temperature.end is {end:g} kimg, but Temperature.start {start:g}: set it behind that.")
        self.first, self.last, self.begin, self.end = first, last, start, end

    def at(self, kimg: float) -> float:
        """Its value."""
        gone = min(1.0, max(0.0, (kimg - self.begin) / (self.end - self.begin)))
        return self.first ** (1 - gone) * self.last**gone


class Relaxation(Estimator):
    """The adversarial loss itself, of shares of symbols."""

    soft = True

    @abstractmethod
    def shown(self, generator: nn.Module, label: Tensor, kimg: float) -> Tensor:
        """[B, L, symbols], with a gradient."""

    def terms(self, turn: Turn) -> Terms:
        return {"adversarial": turn.objective(self.shown(turn.generator, turn.label, turn.kimg))}


class GumbelSoftmax(Relaxation):
    """y_t = softmax((o_t + g_t) / tau) for logits o and Gumbel noise g, whose largest is a draw from softmax(o).

    Jang et al., arXiv 1611.01144, equation 2; in texts RelGAN, ICLR 2019, equations 3 to 5, where tau falls. The
    generator reads the symbol that was drawn, and no gradient passes there, as in the authors' code.

    Args:
        temperature: tau on the clock.
        straight_through: show the symbol itself, with the gradient of its shares (1611.01144, section 2.2); else the
            shares, as RelGAN.
    """

    def __init__(self, temperature: Temperature, straight_through: bool = False) -> None:
        super().__init__()
        self.temperature = temperature
        self.straight_through = straight_through

    def shown(self, generator: nn.Module, label: Tensor, kimg: float) -> Tensor:
        tau, state, previous, places = self.temperature.at(kimg), generator.begin(len(label), label), None, []
        over = torch.zeros_like(label, dtype=torch.bool)
        uniform = torch.rand(len(label), generator.length, generator.symbols, device=label.device)
        noise = -(-uniform.clamp_(min=torch.finfo(uniform.dtype).tiny).log()).log()
        for place in range(generator.length):
            logits, state = generator.step(state, previous)
            scores = logits.to(noise.dtype) + noise[:, place]
            previous, soft = scores.argmax(1), (scores / tau).softmax(1)
            if self.straight_through:
                soft = F.one_hot(previous, generator.symbols) + soft - soft.detach()
            if generator.ends:
                end = F.one_hot(torch.full_like(previous, END), generator.symbols).to(soft.dtype)
                soft, previous = torch.where(over[:, None], end, soft), previous.masked_fill(over, END)
                over = over | (previous == END)
            places.append(soft)
        return torch.stack(places, dim=1)


class Softmax(Relaxation):
    """The probabilities of all places, which a generator makes of noise at once, and of which the likeliest are read.

    WGAN-GP, Gulrajani et al., arXiv 1704.00028, section 5: a critic of bounded slope does not tell them from symbols as
    easily as another would.
    """

    reads = False

    def shown(self, generator: nn.Module, label: Tensor, kimg: float) -> Tensor:
        logits = generator(generator.latents(label), label)
        with torch.autocast(label.device.type, enabled=False):
            return (logits if logits.dtype == torch.float64 else logits.float()).softmax(2)
