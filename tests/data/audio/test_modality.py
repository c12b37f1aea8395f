from __future__ import annotations

import wave
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ganlit.data.audio.modality import AudioModality
from ganlit.data.audio.spectra import BANDS, PADDING, WIDTH, seen
from ganlit.data.audio.spectrogram import SpectrogramModality
from ganlit.errors import UserError
from ganlit.networks.audio.spectrograms import MelSpectrogram

Make = Callable[..., Path]
Tone = Callable[..., np.ndarray]


def waves(count: int = 6, length: int = 2048, channels: int = 1) -> torch.Tensor:
    drawn = torch.randn(count, channels, length, generator=torch.Generator().manual_seed(count))
    return (drawn * 3000).to(torch.int16)


@given(st.lists(st.integers(-(2**15), 2**15 - 1), min_size=1))
def test_what_is_stored_goes_to_networks_and_back(values: list[int]) -> None:
    kind, stored = AudioModality(8000), torch.tensor([[values]], dtype=torch.int16)
    seen = kind.to_network(stored)
    assert seen.dtype == torch.float32
    assert float(seen.abs().max()) <= 1
    assert torch.equal(kind.to_stored(seen), stored)


def test_what_networks_make_is_brought_into_range() -> None:
    made = torch.tensor([[[-2.0, -1.0, 0.0, 1.0, 2.0]]])
    assert AudioModality(8000).to_stored(made).flatten().tolist() == [-32768, -32768, 0, 32767, 32767]


@pytest.mark.parametrize("channels", [1, 2])
def test_it_is_written_as_wav(tmp_path: Path, channels: int) -> None:
    item = waves(1, 100, channels)[0]
    file = AudioModality(22050).write(item, tmp_path / "in" / "a.b")
    assert file == tmp_path / "in" / "a.b.wav"
    samples, rate = soundfile.read(file, dtype="int16", always_2d=True)
    assert (rate, soundfile.info(file).subtype) == (22050, "PCM_16")
    assert (item.numpy() == samples.T).all()


def test_a_rate_that_nobody_says_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="how many samples a second"):
        AudioModality().write(waves(1)[0], tmp_path / "a")


def test_extractors_get_mono_at_their_rate() -> None:
    kind, stored = AudioModality(22050), waves(3, 4410, 2)
    plain = (stored.float() / 2**15).mean(1)
    assert torch.equal(kind.for_extractor(stored), plain)
    assert torch.equal(kind.for_extractor(stored, 22050), plain)
    for row, wave_ in zip(kind.for_extractor(stored, 16000), plain, strict=True):
        assert np.abs(row.numpy() - soxr.resample(wave_.numpy(), 22050, 16000)).max() < 1e-6


def test_a_grid_of_spectrograms_has_sounds_beside_it(tmp_path: Path) -> None:
    rows = [waves(1, length) for length in (2048, 1024, 3000, 500, 10)] * 6
    files = AudioModality(8000).show(rows, 5, tmp_path / "kimg1.0")
    places = [f"{row}{column}" for row in range(3) for column in range(4)]
    assert [file.name for file in files] == ["kimg1.0.png", *(f"kimg1.0-{place}.wav" for place in places)]
    assert Image.open(files[0]).size == (5 * (WIDTH + PADDING) + PADDING, 6 * (BANDS + PADDING) + PADDING)
    with wave.open(str(files[4])) as sound:
        assert sound.getnframes() == 500


@pytest.mark.parametrize("rate", [1000, 8000, 16000, 22050, 44100, 96000])
def test_a_tone_is_a_line_at_its_height(tone: Tone, rate: int) -> None:
    heights = []
    for pitch in (rate / 40, rate / 8, rate / 4):
        picture = seen(torch.from_numpy(tone(1.0, rate, pitch).T), rate)
        assert picture.shape == (1, 3, BANDS, WIDTH)
        column = picture.float().mean(1)[0, :, WIDTH // 2]
        heights.append(int(column.argmax()))
        assert float(column.max()) > 2 * float(column.median())
    assert heights == sorted(heights, reverse=True)
    assert len(set(heights)) == 3


def test_silence_is_dark_and_noise_is_bright() -> None:
    silence, noise = seen(torch.zeros(1, 8000), 8000), seen(torch.rand(1, 8000) * 2 - 1, 8000)
    assert float(silence.float().mean()) < 10
    assert float(noise.float().mean()) > 100


def test_it_recognises_sound(make_sounds: Make, tmp_path: Path) -> None:
    kind, folder = AudioModality(), make_sounds(["a.wav", "b.mp3", "c.png", "d.txt"], c=b"", d=b"")
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as packed:
        packed.write(folder / "a.wav")
    (folder / "list.csv").write_text("path\na.wav\n")
    (folder / "table.csv").write_text("path\na.png\n")
    assert kind.recognises(str(folder)) == 1 / 3
    places = [
        folder / "a.wav",
        tmp_path / "set.zip",
        folder / "list.csv",
        "sc09",
        folder / "c.png",
        folder / "table.csv",
        "digits",
        "",
    ]
    assert [kind.recognises(str(place)) for place in places] == [1, 1, 1, 1, 0, 0, 0, 0]
    assert SpectrogramModality().recognises(str(folder)) == 0


def test_a_spectrogram_is_what_networks_see_and_griffin_lim_what_is_heard() -> None:
    mel = MelSpectrogram(8000, 256, 64, bands=20)
    kind, stored = SpectrogramModality(mel, 1), waves(2, 64 * 20)
    seen = kind.to_network(stored)
    assert torch.equal(seen, mel(stored.float() / 2**15))
    assert (seen.shape, kind.step, kind.name, kind.rate) == ((2, 20, 20), 64, "audio", 8000)
    heard = kind.to_stored(seen)
    assert (heard.shape, heard.dtype) == (stored.shape, torch.int16)
    assert float((kind.to_network(heard) - seen).abs().mean()) < 0.5 * float((seen - seen.mean()).abs().mean())


def test_the_same_spectrograms_are_heard_once(monkeypatch: pytest.MonkeyPatch) -> None:
    mel = MelSpectrogram(8000, 256, 64, bands=20)
    kind = SpectrogramModality(mel, 1)
    seen = kind.to_network(waves(2, 64 * 20))
    first, other = kind.to_stored(seen), kind.to_stored(seen + 1)
    assert not torch.equal(first, other)
    assert torch.equal(kind.to_stored(seen.clone()), first)
    monkeypatch.setattr(mel, "griffin_lim", lambda mels: pytest.fail("made again"))
    assert torch.equal(kind.to_stored(seen.clone()), first)


def test_autocast_leaves_spectrograms_as_they_are() -> None:
    kind, stored = SpectrogramModality(MelSpectrogram(8000, 256, 64, bands=20), 1), waves(2, 64 * 20)
    seen, heard = kind.to_network(stored), kind.to_stored(kind.to_network(stored))
    again = SpectrogramModality(MelSpectrogram(8000, 256, 64, bands=20), 1)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(again.to_network(stored), seen)
        assert torch.equal(again.to_stored(seen), heard)


def test_channels_have_spectrograms_one_below_the_other() -> None:
    mel = MelSpectrogram(8000, 256, 64, bands=20)
    kind, stored = SpectrogramModality(mel, 2), waves(2, 64 * 20, 2)
    seen = kind.to_network(stored)
    assert torch.equal(seen[:, 20:], SpectrogramModality(mel, 1).to_network(stored[:, 1:]))
    assert kind.to_stored(seen).shape == stored.shape
