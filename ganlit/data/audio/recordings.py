"""Recordings with or without classes, from a set's name, a folder, a zip or a list: in windows of one length."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lightning.pytorch.utilities import rank_zero_info
from torch import Tensor

from ganlit.contracts import Labelled, Modality, Pair, Reference
from ganlit.data.audio.catalogue import open_source
from ganlit.data.audio.decoding import decoded
from ganlit.data.audio.form import Level, Trained, form_of
from ganlit.data.audio.modality import AudioModality
from ganlit.data.audio.spectrogram import SpectrogramModality
from ganlit.data.source import Labels
from ganlit.data.store import Stored
from ganlit.data.windowed import WindowedDataModule
from ganlit.data.windows import Windows, excerpts
from ganlit.errors import UserError, within
from ganlit.networks.audio.spectrograms import MelSpectrogram

LONGEST = 2**26  # samples of a window


class Recordings(WindowedDataModule):
    """Windows of recordings, drawn anew in each pass; of each of those that are measured, one and always the same.

    Where a window lies follows from the seed, the recording and the pass over the data alone, so that a run resumes
    exactly and any number of processes hears the same.

    Args:
        source: a folder, a zip, a list in CSV or JSON lines (path, label, start, end, split), or sc09,
            speech_commands, ljspeech, vctk or libritts. Classes are those of dataset.json or of the list, else the
            sub-folders of a folder; files that are not called like sound are passed over.
        rate: samples a second; a higher rate is brought down to it.
        segment: samples of a window; a recording that is shorter ends in silence.
        channels: 1 of mono, 2 of stereo.
        split: "train", or what else the source has.
        heard: samples of each recording that is measured; as many as a window by default.
        level: how loud each recording is: as it is (kept), its highest sample at 0.95 (peak, as HiFi-GAN has it), or
            its mean square 23 dB below 1 (loudness).
        mix: average the channels of recordings that have others, or repeat the one, instead of refusing them.
        upsample: raise lower rates instead of refusing them, though nothing is above half of them.
        cut: seconds of the pieces that longer recordings are cut into, each of which then counts as a recording.
        begin: have windows begin where recordings do, such as those of drums, and not anywhere.
        skip_bad: count, list and leave out recordings that cannot be used instead of refusing the dataset.
        labels: false does without labels and does not look at them; renumber numbers the classes of dataset.json anew,
            from 0 without gaps, in their order.
        held_out: recordings that are never trained on, and measured instead of the others: a share of these, such as
            0.1, chosen once for all seeds; another split of the source, such as test; or a folder, a zip or a list.
        root: where sets known by name lie or are fetched to.
        stage: a folder on a disk of each machine itself, as in `Images`.
        loading: batch, tick, val_images, test_images and seed, as in `GanDataModule`.

    Raises:
        UserError: the source cannot be used as it is; the sentence names the file and the option that helps.
    """

    modality = AudioModality()  # until a rate is known

    def __init__(
        self,
        source: str,
        rate: int,
        segment: int,
        channels: int = 1,
        split: str = "train",
        heard: int | None = None,
        level: Level = "kept",
        mix: bool = False,
        upsample: bool = False,
        cut: float | None = None,
        begin: bool = False,
        skip_bad: bool = False,
        labels: Labels = True,
        held_out: float | str | None = None,
        root: Path = Path("datasets"),
        stage: Path | None = None,
        **loading: Any,
    ) -> None:
        super().__init__(source, split, skip_bad, labels, held_out, root, stage, **loading)
        within("data.init_args.segment", segment, least=1, most=LONGEST)
        within("data.init_args.heard", heard, least=1, most=LONGEST, optional=True)
        self.form = form_of(rate, channels, level, mix, upsample, cut)
        self.modality = AudioModality(rate, channels)
        self.segment = segment
        self.begin = begin
        self.heard = heard or segment

    def decoded_of(self, source: str, split: str) -> Stored:
        return decoded(open_source(source, split, self.root, self.labels), self.form, self.skip_bad)

    def windows(self, items: Stored, places: Tensor) -> Windows:
        recordings, labels = items.reference.items, items.reference.labels
        return Windows(recordings, labels, self.segment, places, self.seed, self.begin)

    def measured_of(self, stored: Stored) -> Reference:
        return excerpts(stored.reference, self.heard, self.begin)

    def prepare_data(self) -> None:
        super().prepare_data()
        lengths = self.stored.reference.items.lengths
        if short := int((lengths < self.segment).sum()):
            rank_zero_info(
                f"{self.stored.reference.name}: {short} of {len(lengths)} recordings are shorter than a window of "
                f"{self.segment} samples, and end in silence"
            )

    def setup(self, stage: str) -> None:
        count = len(self.trained_on.items)
        if count < self.batch and self.form.cut is None:
            seconds = float(self.stored.reference.items.lengths.sum()) / self.form.rate
            if (piece := seconds / self.batch) >= self.segment / self.form.rate:
                raise UserError(
                    f"{self.trained_on.name} has {count} recording{'s' * (count > 1)} to train on, fewer than a batch "
                    f"of {self.batch}: cut them into pieces by data.init_args.cut, such as {piece / 2:.2g} seconds, or "
                    "lower data.init_args.batch."
                )
        super().setup(stage)

    def form_of(self, field: str) -> Trained:
        return Trained(self.form, self.heard)


class Spectrograms(Recordings):
    """Recordings that networks see as spectrograms, and make as such: one hears them by Griffin and Lim's phases.

    What `generate` writes may then go through a trained vocoder, by `translate`.

    Args:
        spectrogram: as what recordings are seen; it tells the rate.
        source: as for `Recordings`.
        segment: samples of a window, a multiple of the spectrogram's hop.
        recordings: all else, as in `Recordings`.

    Raises:
        UserError: a window holds no whole number of hops.
    """

    def __init__(self, spectrogram: MelSpectrogram, source: str, segment: int, **recordings: Any) -> None:
        super().__init__(source, spectrogram.rate, segment, **recordings)
        _refuse_parts_of_hops(self, spectrogram)
        self.modality = SpectrogramModality(spectrogram, self.form.channels)


class Vocoding(Recordings):
    """Recordings as targets, and as sources their spectrograms, from which they are to be made again.

    Args:
        spectrogram: what a vocoder is given; it tells the rate.
        source: as for `Recordings`.
        segment: samples of a window, a multiple of the spectrogram's hop.
        recordings: all else, as in `Recordings`.

    Raises:
        UserError: a window holds no whole number of hops.
    """

    def __init__(self, spectrogram: MelSpectrogram, source: str, segment: int, **recordings: Any) -> None:
        super().__init__(source, spectrogram.rate, segment, **recordings)
        _refuse_parts_of_hops(self, spectrogram)
        self.seen = SpectrogramModality(spectrogram, self.form.channels)

    def modality_of(self, field: str) -> Modality | None:
        return self.seen if field == "source" else super().modality_of(field)

    def to_network(self, batch: Labelled) -> Pair:
        source, target = self.seen.to_network(batch.item), self.modality.to_network(batch.item)
        return Pair(source, target, batch.label)


def _refuse_parts_of_hops(data: Recordings, spectrogram: MelSpectrogram) -> None:
    for key, length in {"segment": data.segment, "heard": data.heard}.items():
        if length % spectrogram.hop:
            raise UserError(
                f"data.init_args.{key} is {length}, and the spectrogram has a hop of {spectrogram.hop} samples: set it "
                "to a multiple of that."
            )
