from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from ganlit.data.audio.reading import Span, header, library, read
from ganlit.data.objections import Objected
from ganlit.errors import UserError

Tone = Callable[..., np.ndarray]


def encoded(path: Path, samples: np.ndarray | None, rate: int, codec: str, film: bool = False) -> Path:
    """What PyAV makes of samples [T, C], perhaps below a few pictures."""
    with av.open(str(path), "w", format="g722" if path.suffix == ".g722" else None) as container:
        if film:
            pictures = container.add_stream("mpeg4", rate=10, options={"strict": "-2"})
            pictures.width = pictures.height = 32
            pictures.pix_fmt = "yuv420p"
        layout = "stereo" if samples is not None and samples.shape[1] == 2 else "mono"
        sound = None if samples is None else container.add_stream(codec, rate=rate, layout=layout)
        if film:
            for _ in range(5):
                picture = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
                container.mux(pictures.encode(picture))
            container.mux(pictures.encode())
        if sound is not None:
            pcm = np.rint(samples * 32767).astype(np.int16).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout=layout)
            frame.sample_rate = rate
            container.mux(sound.encode(frame))
            container.mux(sound.encode())
    return path


@pytest.mark.parametrize(
    ("suffix", "subtype", "near"),
    [
        ("wav", "PCM_16", 1e-4),
        ("wav", "PCM_24", 1e-6),
        ("wav", "FLOAT", 1e-9),
        ("wav", "PCM_U8", 1e-2),
        ("flac", "PCM_16", 1e-4),
        ("aiff", "PCM_24", 1e-6),
        ("ogg", "VORBIS", 0.05),
        ("mp3", "MPEG_LAYER_III", 0.05),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_soundfile_reads(tmp_path: Path, tone: Tone, suffix: str, subtype: str, near: float, channels: int) -> None:
    samples, path = tone(0.3, 16000, channels=channels), tmp_path / f"a.{suffix}"
    soundfile.write(path, samples, 16000, subtype)
    found = read(path, path.suffix)
    assert (found.samples.shape, found.samples.dtype, found.rate) == ((4800, channels), np.float32, 16000)
    assert np.abs(found.samples - samples).max() < near
    assert header(path, path.suffix) == (16000, channels, 4800)


@pytest.mark.parametrize(
    ("name", "codec", "film", "near"),
    [
        ("a.g722", "g722", False, 0.1),
        ("a.m4a", "aac", False, 0.1),
        ("a.aac", "aac", False, 0.1),
        ("a.mp4", "aac", True, 0.1),
    ],
)
def test_av_reads_what_soundfile_does_not(
    tmp_path: Path, tone: Tone, name: str, codec: str, film: bool, near: float
) -> None:
    samples = tone(0.5, 16000)
    path = encoded(tmp_path / name, samples, 16000, codec, film)
    found = read(path, path.suffix)
    assert (found.rate, found.channels) == (16000, 1)
    assert header(path, path.suffix)[:2] == (16000, 1)
    assert abs(found.seconds - 0.5) < 0.2  # AAC comes in frames of 1024, and begins with one of its own
    wanted, there = (np.abs(np.fft.rfft(each[3200:6400, 0])) for each in (samples, found.samples))
    assert wanted.argmax() == there.argmax()
    assert abs(there.max() / wanted.max() - 1) < near


def test_a_span_is_cut_out_by_either(tmp_path: Path, tone: Tone) -> None:
    samples, span = tone(0.5, 16000), Span(0.1, 0.25)
    soundfile.write(tmp_path / "a.wav", samples, 16000, "FLOAT")
    assert (read(tmp_path / "a.wav", ".wav", span).samples == samples[1600:4000]).all()
    assert (read(tmp_path / "a.wav", ".wav", Span(0.4)).samples == samples[6400:]).all()
    assert len(read(tmp_path / "a.wav", ".wav", Span(0.6, 0.7)).samples) == 0
    path = encoded(tmp_path / "a.g722", samples, 16000, "g722")
    whole = read(path, ".g722").samples
    assert (read(path, ".g722", span).samples == whole[1600:4000]).all()


def test_a_file_inside_a_zip_is_read_and_closed(tmp_path: Path, tone: Tone) -> None:
    content = io.BytesIO()
    soundfile.write(content, tone(), 8000, format="FLAC")
    raw = encoded(tmp_path / "b.g722", tone(0.1, 16000), 16000, "g722").read_bytes()
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as packed:
        packed.writestr("a.flac", content.getvalue())
        packed.writestr("b.g722", raw)
    with zipfile.ZipFile(tmp_path / "set.zip") as packed:
        member = packed.open("a.flac")
        assert read(member, ".flac").samples.shape == (800, 1)
        assert member.closed
        assert read(io.BytesIO(packed.read("b.g722")), ".g722").samples.shape == (1600, 1)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3", ".g722", ".mp4", ".m4a"])
def test_what_is_no_sound_is_named(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_text("Some words.\n" * 30)
    if suffix == ".g722":  # of which anything is some
        assert read(path, suffix).rate == 16000
        return
    with pytest.raises(Objected) as raised:
        read(path, suffix)
    assert raised.value.objection.reason.startswith(("is no recording that can be read (", "has no sound in it"))


@pytest.mark.parametrize("name", ["list.m4a", "list.wav"])
def test_a_playlist_opens_no_other_file(tmp_path: Path, tone: Tone, name: str) -> None:
    soundfile.write(tmp_path / "secret.wav", tone(), 8000)
    for content in (
        f"#EXTM3U\n#EXTINF:1,\n{tmp_path}/secret.wav\n",
        f"ffconcat version 1.0\nfile {tmp_path}/secret.wav\n",
    ):
        (tmp_path / name).write_text(content)
        with pytest.raises(Objected):
            read(tmp_path / name, Path(name).suffix)


def test_a_film_without_sound_is_named(tmp_path: Path) -> None:
    path = encoded(tmp_path / "a.mp4", None, 0, "", film=True)
    with pytest.raises(Objected, match="is a film without sound"):
        read(path, ".mp4")


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3"])
def test_what_is_cut_off_is_named(tmp_path: Path, tone: Tone, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, tone(1.0), 8000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises((Objected, RuntimeError), match=r"is truncated or damaged \(|lost sync"):
        read(path, f".{suffix}")


def test_a_stream_of_unknown_size_is_whole(tmp_path: Path, tone: Tone) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(), 8000)
    content = bytearray(path.read_bytes())
    content[4:8] = content[40:44] = b"\xff" * 4
    path.write_bytes(content)
    assert read(path, ".wav").samples.shape == (800, 1)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(
        UserError, match=r'needs the package soundfile, which is not here: pip install -e "\.\[audio\]"'
    ):
        library("soundfile")
