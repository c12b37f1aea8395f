"""How close sound is to the very sound that it should be, for vocoders, codecs and enhancement; or good by itself."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from ganlit.contracts import Modality
from ganlit.errors import UserError
from ganlit.metrics.audio.dnsmos import dnsmos
from ganlit.metrics.audio.listening import compared, heard, package, rate_of, refuse_unlike
from ganlit.metrics.audio.spectral import Resolutions, mel_distance
from ganlit.metrics.audio.voices import periodicity, pitch, voices, voicing
from ganlit.metrics.likeness import Likeness, that_tell
from ganlit.networks.audio.spectrograms import MelSpectrogram

LIMIT = 100.0  # dB, either way: without it one item that is exact, or silent, would hide all others
BANDS, SIZE, HOP, WIDE = 80, 1024, 256, 48_000  # of the mel spectrogram, up to this rate; above it is as much longer
SPEECH = 16_000  # samples a second at which PESQ listens
LEAST = 1.0  # of the scale of opinions
NAN = math.nan


@torch.no_grad()
def sisdr(output: Tensor, target: Tensor) -> Tensor:
    """Scale-invariant signal-to-distortion ratio [B] in dB (Le Roux et al., arXiv 1811.02508, equation 5).

    That of each channel, and their mean; between -100, as of a silent output, and 100; nan of a silent target, of which
    it says nothing.
    """
    output, target = (x.double() for x in compared(output, target, 1, "sisdr"))
    scale = (output * target).sum(-1, keepdim=True) / target.square().sum(-1, keepdim=True)
    return decibels(scale * target, output - scale * target, target)


@torch.no_grad()
def snr(output: Tensor, target: Tensor) -> Tensor:
    """Signal-to-noise ratio [B] in dB, the noise being what differs; limits as for `sisdr`."""
    output, target = (x.double() for x in compared(output, target, 1, "snr"))
    return decibels(target, output - target, target)


def decibels(signal: Tensor, noise: Tensor, target: Tensor) -> Tensor:
    """Of the energies of signal and noise [B, C, T], the mean [B] over those channels in which a target is heard."""
    heard, rest = signal.square().sum(-1), noise.square().sum(-1)
    ratio = (10 * (heard / rest).log10()).where(heard != 0, -LIMIT)
    return ratio.clamp(-LIMIT, LIMIT).where(target.any(-1), NAN).nanmean(1)


def mel(option: str, kind: Modality, device: torch.device | str) -> Likeness:
    """Mean difference of log-mel spectrograms, as HiFi-GAN's criterion has it."""
    rate = rate_of(kind, "mel")
    times = 2 ** max(0, math.ceil(math.log2(rate / WIDE)))
    mels = MelSpectrogram(rate, times * SIZE, times * HOP, bands=BANDS).to(device)

    @torch.no_grad()
    def seen(output: Tensor, target: Tensor) -> Tensor:
        return mel_distance(mels, *compared(output, target, mels.beyond + 1, "mel")).double()

    return Likeness(f"{BANDS}x{mels.size}-{rate}hz", seen)


def stft(option: str, kind: Modality, device: torch.device | str) -> Likeness:
    """Multi-resolution STFT distance."""
    resolutions = Resolutions().to(device)

    @torch.no_grad()
    def seen(output: Tensor, target: Tensor) -> Tensor:
        return resolutions.distance(*compared(output, target, resolutions.needs, "stft")).double()

    return Likeness(at(kind), seen)


def pesq(option: str, kind: Modality, device: torch.device | str) -> Likeness:
    """Perceptual evaluation of speech quality: wideband, ITU-T P.862.2, or narrowband, P.862.1; 1 to 4.64, or 4.55."""
    rate, judge, mode = rate_of(kind, "pesq"), package("pesq", "pesq"), option or "wb"

    def seen(output: Tensor, target: Tensor) -> Tensor:
        sides = mono(output, target, kind, SPEECH, math.ceil(rate / 4), "pesq")
        return torch.tensor([opinion(judge, *pair, mode) for pair in sides], dtype=torch.float64)

    return Likeness(f"{rate}hz" if option else f"{mode}-{rate}hz", seen, that_tell)


def opinion(judge: ModuleType, output: np.ndarray, target: np.ndarray, mode: str) -> float:
    """PESQ of speech [T] at 16 kHz.

    Where no utterance is found in the target it says nothing, nan; where one is found there and none in the output it
    is the least of the scale.
    """

    def found(spoken: np.ndarray) -> float:
        audible = target.any() and spoken.any()
        return judge.pesq(SPEECH, target, spoken, mode, on_error=judge.PesqError.RETURN_VALUES) if audible else NAN

    if (score := found(output)) > 0:
        return score
    return LEAST if found(target) > 0 else NAN


def stoi(extended: bool, option: str, kind: Modality, device: torch.device | str) -> Likeness:
    """Short-time objective intelligibility (Taal et al. 2011), or the extended one (Jensen and Taal 2016); 1 is best.

    It says nothing, nan, of a target that is silent, or of which less than 0.4 s is not.
    """
    name = "estoi" if extended else "stoi"
    rate, judge = rate_of(kind, name), package("pystoi", name)

    def score(output: np.ndarray, target: np.ndarray) -> float:
        with warnings.catch_warnings(), steady():
            warnings.simplefilter("error", RuntimeWarning)  # of too few frames that are not silent
            try:
                return float(judge.stoi(target, output, rate, extended)) if target.any() else NAN
            except RuntimeWarning:
                return NAN

    def seen(output: Tensor, target: Tensor) -> Tensor:
        sides = mono(output, target, kind, rate, math.ceil(0.4 * rate), name)
        return torch.tensor([score(*pair) for pair in sides], dtype=torch.float64)

    return Likeness(f"{rate}hz", seen, that_tell)


@contextmanager
def steady() -> Iterator[None]:
    """Has numpy's stream begin anew, and go on later as if nothing had been drawn: pystoi adds noise to silence."""
    before = np.random.get_state()
    np.random.seed(0)
    try:
        yield
    finally:
        np.random.set_state(before)


def mono(
    output: Tensor, target: Tensor, kind: Modality, rate: int, least: int, what: str
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Outputs and targets one by one, their channels' mean [T] at a rate of one's own."""
    refuse_unlike(output, target, least, what)
    return zip(*(heard(items, kind, rate).numpy() for items in (output, target)), strict=True)


def tracked(
    name: str, score: Callable[..., Tensor], option: str, kind: Modality, device: torch.device | str
) -> Likeness:
    """What is asked of the tracks of pitch of both sides."""
    rate = rate_of(kind, name)
    found = voices(option, kind, device)

    def seen(output: Tensor, target: Tensor) -> Tensor:
        return score(*found.tracks(output, target))

    return Likeness(f"{found.tracker.variant}-{rate}hz", seen, that_tell)


def at(kind: Modality) -> str:
    """What ids say of the sample rate, as far as it is known."""
    return "" if kind.rate is None else f"{kind.rate}hz"


PAIRED: dict[str, Callable[[str, Modality, torch.device | str], Likeness]] = {
    "mel": mel,
    "stft": stft,
    "sisdr": lambda option, kind, device: Likeness(at(kind), sisdr, that_tell),
    "snr": lambda option, kind, device: Likeness(at(kind), snr, that_tell),
    "pesq": pesq,
    "stoi": partial(stoi, False),
    "estoi": partial(stoi, True),
    "pitch": partial(tracked, "pitch", pitch),
    "periodicity": partial(tracked, "periodicity", periodicity),
    "vuv": partial(tracked, "vuv", voicing),
}
"""By name what builds a metric, with the option behind it, of sound of a kind, on a device."""

ALONE = {"dnsmos": dnsmos}
"""The same of those that ask for no target."""

BETTER = {
    "mel": "lower",
    "stft": "lower",
    "sisdr": "higher",
    "snr": "higher",
    "pesq": "higher",
    "stoi": "higher",
    "estoi": "higher",
    "pitch": "lower",
    "periodicity": "lower",
    "vuv": "higher",
    "dnsmos": "higher",
}

OPTIONS = {"pesq": ("nb",), "dnsmos": ("sig", "bak")} | dict.fromkeys(("pitch", "periodicity", "vuv"), ("crepe",))
"""What may stand behind a name: narrowband, of the speech or of what is behind it alone, and CREPE in YIN's place."""


def read(metric: str, options: str) -> str:
    """The option behind a metric's name, without its hyphen.

    Raises:
        UserError: that means nothing.
    """
    known = OPTIONS.get(metric, ())
    if options and options[1:] not in known:
        ways = ", ".join(f"{metric}-{each}" for each in known)
        raise UserError(f"{metric}{options}: write {metric}{f', or {ways}' if ways else ' alone'}.")
    return options[1:]


def depth(items: Tensor) -> str:
    """What ids say of sound that is stored in an unusual way: there is none."""
    return ""
