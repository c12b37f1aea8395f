"""Measures of sound beside its target: equal to their references, also of silence, two channels and 10 samples."""

from __future__ import annotations

import math
import sys

import auraloss
import numpy as np
import pesq as itu
import pystoi
import pytest
import soxr
import torch
from torch import Tensor
from torchmetrics.functional.audio import scale_invariant_signal_distortion_ratio, signal_noise_ratio
from voices import spoken, stored, voice

from ganlit.data.audio.modality import AudioModality
from ganlit.errors import UserError
from ganlit.metrics.audio.paired import ALONE, BETTER, PAIRED
from ganlit.metrics.paired import Comparison
from ganlit.networks.audio.spectrograms import MelSpectrogram

SILENCE = torch.zeros(1, 1, 24_000, dtype=torch.int16)
WITHOUT_RATE = ("stft", "sisdr", "snr")


@pytest.fixture(scope="module")
def pairs() -> tuple[Tensor, Tensor]:
    return spoken()


def scores(metric: str, output: Tensor, target: Tensor, rate: int | None = 16_000) -> list[float]:
    """Of each pair, those included of which the metric says nothing: nan."""
    return Comparison(metric, AudioModality(rate)).seen(output, target)[1].tolist()


def floats(stored: Tensor) -> Tensor:
    return stored.double() / 32768


def test_sisdr_and_snr_are_those_of_torchmetrics(pairs: tuple[Tensor, Tensor]) -> None:
    sides = [floats(side)[:, 0] for side in pairs]
    assert scores("sisdr", *pairs) == pytest.approx(scale_invariant_signal_distortion_ratio(*sides).tolist(), rel=1e-6)
    assert scores("snr", *pairs) == pytest.approx(signal_noise_ratio(*sides).tolist(), rel=1e-6)
    half = (pairs[0] // 2, pairs[1])
    assert scores("sisdr", *half) == pytest.approx(scores("sisdr", *pairs), abs=0.02)  # whatever the scale
    assert scores("snr", *half)[0] == pytest.approx(20 * math.log10(2), abs=0.1)


def test_mel_is_the_criterion_of_hifi_gan_item_by_item(pairs: tuple[Tensor, Tensor]) -> None:
    for rate in (16_000, 24_000):
        mels = MelSpectrogram(rate, 1024, 256, bands=80)
        made, true = (mels(floats(side).float()) for side in pairs)
        assert scores("mel", *pairs, rate) == pytest.approx((made - true).abs().mean((1, 2)).tolist(), rel=1e-5)


def test_stft_is_that_of_auraloss_item_by_item(pairs: tuple[Tensor, Tensor]) -> None:
    reference = auraloss.freq.MultiResolutionSTFTLoss()
    each = [reference(*(floats(side).float()[[place]] for side in pairs)).item() for place in range(3)]
    assert scores("stft", *pairs) == pytest.approx(each, rel=1e-4)


def test_pesq_is_that_of_the_itu_code(pairs: tuple[Tensor, Tensor]) -> None:
    made, true = (floats(side)[:, 0].numpy() for side in pairs)
    for metric, mode in (("pesq", "wb"), ("pesq-nb", "nb")):
        expected = [itu.pesq(16_000, true[place], made[place], mode) for place in range(3)]
        assert scores(metric, *pairs) == pytest.approx(expected, abs=1e-3)
        assert expected == sorted(expected, reverse=True)  # the noisier, the worse


def test_pesq_of_other_rates_is_that_of_what_soxr_makes_of_them(pairs: tuple[Tensor, Tensor]) -> None:
    output, target = spoken(22_050, 0.8)
    made, true = (
        [soxr.resample(each[0].float().numpy() / 32768, 22_050, 16_000) for each in side] for side in (output, target)
    )
    expected = [itu.pesq(16_000, y, x, "wb") for x, y in zip(made, true, strict=True)]
    assert scores("pesq", output, target, 22_050) == pytest.approx(expected, abs=1e-3)


def test_intelligibility_is_that_of_pystoi_and_draws_nothing(pairs: tuple[Tensor, Tensor]) -> None:
    made, true = (floats(side)[:, 0].numpy() for side in pairs)
    np.random.seed(3)
    before = np.random.get_state()[1].tolist()
    found = {metric: scores(metric, *pairs) for metric in ("stoi", "estoi")}
    assert np.random.get_state()[1].tolist() == before
    for metric, extended in (("stoi", False), ("estoi", True)):
        expected = [pystoi.stoi(true[place], made[place], 16_000, extended) for place in range(3)]
        assert found[metric] == pytest.approx(expected, abs=1e-6)
        assert scores(metric, *pairs) == found[metric]


BEST = {"mel": 0, "stft": 0, "sisdr": 100, "snr": 100, "pesq": 4.64, "stoi": 1, "estoi": 1}
BEST |= {"pitch": 0, "periodicity": 0, "vuv": 1}


@pytest.mark.parametrize("metric", PAIRED)
def test_the_same_sound_is_best_and_worse_sound_is_worse(metric: str, pairs: tuple[Tensor, Tensor]) -> None:
    output, target = pairs
    same, found = scores(metric, target, target), scores(metric, output, target)
    assert same == pytest.approx([BEST[metric]] * 3, abs=0.01)
    lost = [x - y if BETTER[metric] == "higher" else y - x for x, y in zip(same, found, strict=True)]
    assert min(lost) >= 0 < lost[-1]  # the last is the noisiest


LEAST = {"mel": None, "stft": None, "sisdr": -100, "snr": 0, "pesq": 1, "stoi": 0, "estoi": 0, "pitch": math.nan}
LEAST |= {"periodicity": None, "vuv": 0}
NOTHING = ("sisdr", "snr", "pesq", "stoi", "estoi", "pitch")


@pytest.mark.parametrize("metric", PAIRED)
@pytest.mark.filterwarnings("error")
def test_silence_is_the_worst_output_and_no_target(metric: str, pairs: tuple[Tensor, Tensor]) -> None:
    target = pairs[1][:1]
    (of_silence,) = scores(metric, SILENCE, target)
    if LEAST[metric] is not None:
        assert of_silence == pytest.approx(LEAST[metric], abs=0.05, nan_ok=True)
    else:
        assert of_silence > max(scores(metric, *pairs))
    (as_target,) = scores(metric, target, SILENCE)
    assert math.isnan(as_target) == (metric in NOTHING)
    assert math.isnan(*scores(metric, SILENCE, SILENCE)) == (metric in (*NOTHING, "vuv"))
    comparison = Comparison(metric, AudioModality(16_000))
    kept = comparison.seen(torch.cat([target, target]), torch.cat([target, SILENCE]))[1]
    assert len(comparison.scores(kept)) == 1 + (metric not in NOTHING)  # the others are no part of the mean


@pytest.mark.parametrize("metric", PAIRED)
def test_hardly_anything_is_scored_too(metric: str, pairs: tuple[Tensor, Tensor]) -> None:
    """A click, a constant, and full scale."""
    target = pairs[1][:1]
    for value in (1, 32767):
        click = SILENCE.clone()
        click[..., 12_000] = value
        for output in (click, torch.full_like(SILENCE, value)):
            (found,) = scores(metric, output, target)
            assert math.isfinite(found) or metric == "pitch"


@pytest.mark.parametrize("metric", PAIRED)
def test_batches_are_their_items(metric: str, pairs: tuple[Tensor, Tensor]) -> None:
    output, target = pairs
    comparison = Comparison(metric, AudioModality(16_000))
    parts = [comparison.seen(output[part], target[part])[1] for part in ([0], [1, 2])]
    whole = comparison.seen(output, target)[1]
    assert whole.dtype == torch.float64
    assert comparison.scores(torch.cat(parts)).tolist() == pytest.approx(comparison.scores(whole).tolist(), rel=1e-4)


@pytest.mark.parametrize("metric", PAIRED)
def test_channels_are_those_of_both_sides(metric: str, pairs: tuple[Tensor, Tensor]) -> None:
    output, target = pairs
    stereo = [side.expand(-1, 2, -1).contiguous() for side in pairs]
    assert scores(metric, *stereo) == pytest.approx(scores(metric, output, target), rel=1e-3, abs=1e-6)
    for one, other in ((stereo[0], target), (output[..., :-1], target), (output[:2], target)):
        with pytest.raises(UserError, match=r"one to one.*bring them to one number, one number of channels and one le"):
            scores(metric, one, other)
    for wrong in (target.float(), target[0], torch.full((1, 1, 24_000), math.nan)):
        with pytest.raises(UserError, match=r"takes stored sound \[B, channels, samples\] of int16, not torch"):
            scores(metric, wrong, wrong)


@pytest.mark.parametrize("metric", PAIRED)
def test_ten_samples_are_refused_unless_they_are_enough(metric: str, pairs: tuple[Tensor, Tensor]) -> None:
    short = [side[..., 8000:8010] for side in pairs]
    if metric in ("sisdr", "snr"):
        assert all(math.isfinite(score) for score in scores(metric, *short))
    else:
        with pytest.raises(UserError, match=r"needs recordings of [\d,]+ samples at least, these have 10: take longer"):
            scores(metric, *short)


@pytest.mark.parametrize("metric", [*PAIRED, *ALONE])
def test_an_unknown_rate_is_refused_where_it_counts(metric: str) -> None:
    if metric in WITHOUT_RATE:
        assert Comparison(metric, AudioModality()).likeness.variant == ""
    else:
        with pytest.raises(UserError, match=f"{metric} depends on the sample rate, which nobody has told"):
            Comparison(metric, AudioModality())


def test_ids_say_what_moves_the_numbers(pairs: tuple[Tensor, Tensor]) -> None:
    found = {metric: Comparison(metric, AudioModality(16_000)).seen(*pairs)[0] for metric in (*PAIRED, "pesq-nb")}
    assert found == {
        "mel": "mel-80x1024-16000hz",
        "stft": "stft-16000hz",
        "sisdr": "sisdr-16000hz",
        "snr": "snr-16000hz",
        "pesq": "pesq-wb-16000hz",
        "pesq-nb": "pesq-nb-16000hz",
        "stoi": "stoi-16000hz",
        "estoi": "estoi-16000hz",
        "pitch": "pitch-yin-16000hz",
        "periodicity": "periodicity-yin-16000hz",
        "vuv": "vuv-yin-16000hz",
    }
    high = stored(voice(96_000, 0.1)[None, None])
    assert Comparison("mel", AudioModality(96_000)).seen(high, high)[0] == "mel-80x2048-96000hz"
    assert set(BETTER) == {*PAIRED, *ALONE}


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("pesq-wide", "pesq-wide: write pesq, or pesq-nb."),
        ("mel-128", "mel-128: write mel alone."),
        ("vuv-crepe-full", "vuv-crepe-full: write vuv, or vuv-crepe."),
        ("dnsmos-ovrl", "dnsmos-ovrl: write dnsmos, or dnsmos-sig, dnsmos-bak."),
        ("si-sdr", "unknown paired metric si-sdr; did you mean sisdr?"),
    ],
)
def test_options_that_mean_nothing_are_refused(asked: str, sentence: str) -> None:
    with pytest.raises(UserError) as error:
        Comparison(asked, AudioModality(16_000))
    assert str(error.value) == sentence


@pytest.mark.parametrize(("metric", "package"), [("pesq", "pesq"), ("estoi", "pystoi")])
def test_a_missing_package_is_one_sentence(metric: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    said = rf"^{metric} needs {package}, which is not installed: run pip install -e \"\.\[audio\]\"\.$"
    with pytest.raises(UserError, match=said):
        Comparison(metric, AudioModality(16_000))


def test_what_changes_rates_is_that_of_the_data(pairs: tuple[Tensor, Tensor], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soxr", None)
    with pytest.raises(UserError, match="Sound needs the package soxr, which is not here: pip install"):
        scores("pitch", *pairs, rate=22_050)
