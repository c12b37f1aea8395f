"""What needs no training, on the recordings that a run is measured on: python baselines.py RUN DIR.

Writes DIR/targets and a folder for each baseline. Of a vocoder's run, from the spectrograms that the vocoder is given:
`griffin_lim`; `longer`, with as many rounds as the vocoder; `moved`, where magnitudes follow the phases too, which is
the vocoder without its network. Of a codec's: `mulaw` and `adpcm` at the rates of samples that make some bitrates, by
soxr and FFmpeg; `opus` at the lowest that it has. To measure one folder beside another is for `python -m ganlit
evaluate`.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import soxr
import torch
from torch import Tensor

from ganlit.configuration.rebuild import load, setting
from ganlit.data.audio.recordings import Vocoding
from ganlit.networks.audio.spectrograms import MelSpectrogram

MULAW, ADPCM = 8, 4  # bits a sample
OPUS = 48_000  # samples a second, the codec's own
OPUS_BITRATES = 6_000, 8_000  # bits a second
ROUNDS: dict[str, dict[str, int]] = {"griffin_lim": {}, "longer": {"rounds": 64}, "moved": {"rounds": 64, "updates": 2}}
BITRATES = 3_200, 16_000, 32_000, 64_000  # of mu-law and ADPCM, as far as the rate of the recordings


def main(run: str, folder: Path) -> None:
    data = setting(run).data
    data.prepare_data()
    generator = load(run).generator
    for place in range(len(data.measured)):
        stored = data.measured[torch.tensor([place])].item
        if isinstance(data, Vocoding):
            made = vocoders(stored, data, generator.spectrogram)
        else:
            made = codecs(stored[0, 0].numpy(), data.form.rate)
        for name, wave in [("targets", stored[0, 0]), *made]:
            (folder / name).mkdir(parents=True, exist_ok=True)
            data.modality.write(wave[None], folder / name / f"{place:05}")


def vocoders(stored: Tensor, data: Vocoding, spectrogram: MelSpectrogram) -> Iterator[tuple[str, Tensor]]:
    mels = data.modality_of("source").to_network(stored)
    for name, options in ROUNDS.items():
        yield name, data.modality.to_stored(spectrogram.griffin_lim(mels, **options))[0, 0]


def codecs(wave: np.ndarray, rate: int) -> Iterator[tuple[str, Tensor]]:
    for bitrate in BITRATES:
        if bitrate // MULAW <= rate:
            yield f"mulaw_{bitrate}", at(wave, rate, bitrate // MULAW, mulaw)
        if bitrate // ADPCM <= rate:
            yield f"adpcm_{bitrate}", at(wave, rate, bitrate // ADPCM, adpcm)
    for bitrate in OPUS_BITRATES:
        yield f"opus_{bitrate}", at(wave, rate, OPUS, lambda wave, rate, bitrate=bitrate: opus(wave, rate, bitrate))


def at(wave: np.ndarray, rate: int, other: int, codec: Callable[[np.ndarray, int], np.ndarray]) -> Tensor:
    """int16 [T] by a codec at another rate of samples, and back at its own."""
    brought = codec(soxr.resample(wave, rate, other, quality="HQ"), other)
    found = soxr.resample(brought, other, rate, quality="HQ")[: len(wave)]
    return torch.from_numpy(np.pad(found, (0, len(wave) - len(found))))


def mulaw(wave: np.ndarray, rate: int) -> np.ndarray:
    """ITU-T G.711's curve of mu = 255, in 256 steps."""
    level = np.sign(wave) * np.log1p(255 * np.abs(wave / 32768)) / np.log1p(255)
    level = np.round((level + 1) / 2 * 255) / 255 * 2 - 1
    return np.round(np.sign(level) * np.expm1(np.abs(level) * np.log1p(255)) / 255 * 32767).astype(np.int16)


def adpcm(wave: np.ndarray, rate: int) -> np.ndarray:
    """IMA's."""
    return coded(wave, rate, "adpcm_ima_wav", "wav")


def opus(wave: np.ndarray, rate: int, bitrate: int) -> np.ndarray:
    return coded(wave, rate, "libopus", "ogg", bitrate)


def coded(wave: np.ndarray, rate: int, codec: str, form: str, bitrate: int | None = None) -> np.ndarray:
    """int16 [T] through an encoder and a decoder of FFmpeg."""
    file = io.BytesIO()
    with av.open(file, "w", format=form) as out:
        stream = out.add_stream(codec, rate=rate, layout="mono")
        if bitrate:
            stream.bit_rate = bitrate
        frame = av.AudioFrame.from_ndarray(wave[None].astype(np.int16), format="s16", layout="mono")
        frame.sample_rate = rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            out.mux(packet)
    file.seek(0)
    with av.open(file) as back:
        to = av.AudioResampler(format="s16", layout="mono", rate=rate)
        frames = [frame for each in back.decode(audio=0) for frame in to.resample(each)]
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
