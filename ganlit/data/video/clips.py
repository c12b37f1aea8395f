"""Clips with or without classes, from a set's name, a folder or a zip: in windows of one length."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lightning.pytorch.utilities import rank_zero_info
from torch import Tensor

from ganlit.contracts import Reference
from ganlit.data.images.form import Fit
from ganlit.data.source import Labels
from ganlit.data.store import Stored
from ganlit.data.video.catalogue import open_source
from ganlit.data.video.decoding import decoded
from ganlit.data.video.form import LONGEST, Trained, form_of, reach
from ganlit.data.video.modality import VideoModality
from ganlit.data.windowed import WindowedDataModule
from ganlit.data.windows import Windows, excerpts
from ganlit.errors import UserError, within

TOO_SHORT = "has {length} frames, fewer than the {wanted} of a window"


class Clips(WindowedDataModule):
    """Windows of clips, drawn anew in each pass; of each of those that are measured, one and always the same.

    Where a window lies follows from the seed, the clip and the pass over the data alone, so that a run resumes exactly
    and any number of processes sees the same.

    Args:
        source: a folder or a zip of films (MP4, WebM, AVI, GIF, ...) or of numbered pictures, those of each clip in a
            folder of their own; or ucf101, sky_timelapse or faceforensics. Classes are those of dataset.json, else the
            sub-folders of a folder.
        frames: of a window.
        resolution: side of the frames in pixels.
        channels: 3 for RGB, 1 for grey.
        split: "train", or what else the source has.
        fps: frames a second, those that are shown at even times; by default frames are taken as they are.
        stride: so many-th frames of a window are taken.
        fit: frames of another size are refused (exact), resized (resize), cropped to the central square and resized
            (crop), or set on black (pad).
        convert: turn frames of another kind, such as RGB where channels is 1, into that of `channels`.
        cut: frames of the pieces that longer clips are cut into, each of which then counts as a clip.
        skip_bad: count, list and leave out clips that cannot be used instead of refusing the dataset.
        labels: false does without labels and does not look at them; renumber numbers the classes of dataset.json anew,
            from 0 without gaps, in their order.
        held_out: clips that are never trained on, and measured instead of the others: a share of these, such as 0.1,
            chosen once for all seeds; another split of the source, such as test; or a folder or a zip.
        root: where sets known by name lie.
        stage: a folder on a disk of each machine itself, as in `Images`.
        loading: batch, tick, val_images, test_images and seed, as in `GanDataModule`.

    Raises:
        UserError: the source cannot be used as it is; the sentence names the file and the option that helps.
    """

    modality = VideoModality()  # until a rate is known

    def __init__(
        self,
        source: str,
        frames: int,
        resolution: int,
        channels: int = 3,
        split: str = "train",
        fps: float | None = None,
        stride: int = 1,
        fit: Fit = "exact",
        convert: bool = False,
        cut: int | None = None,
        skip_bad: bool = False,
        labels: Labels = True,
        held_out: float | str | None = None,
        root: Path = Path("datasets"),
        stage: Path | None = None,
        **loading: Any,
    ) -> None:
        super().__init__(source, split, skip_bad, labels, held_out, root, stage, **loading)
        within("data.init_args.frames", frames, least=1, most=LONGEST)
        within("data.init_args.stride", stride, least=1, most=LONGEST)
        if fit == "tiles":
            raise UserError("data.init_args.fit is tiles, into which no clips are cut: set it to crop.")
        self.form = form_of(resolution, channels, fit, convert, fps, cut)
        self.frames = frames
        self.stride = stride
        self.modality = VideoModality(None if fps is None else fps / stride)

    def decoded_of(self, source: str, split: str) -> Stored:
        return decoded(open_source(source, split, self.root, self.labels), self.form, self.skip_bad)

    def prepare_data(self) -> None:
        super().prepare_data()
        for stored in self._stores.values():
            found = long_enough(stored, reach(self.frames, self.stride), self.skip_bad)
            if short := len(stored.reference.items) - len(found.reference.items):
                rank_zero_info(
                    f"{stored.reference.name}: skipped {short} of {len(stored.reference.items)} clips, which have "
                    f"fewer frames than the {reach(self.frames, self.stride)} of a window"
                )

    @property
    def stored(self) -> Stored:
        return long_enough(super().stored, reach(self.frames, self.stride), self.skip_bad)

    def other(self, name: str) -> Stored:
        return long_enough(super().other(name), reach(self.frames, self.stride), self.skip_bad)

    def windows(self, items: Stored, places: Tensor) -> Windows:
        clips, labels = items.reference.items, items.reference.labels
        return Windows(clips, labels, self.frames, places, self.seed, every=self.stride)

    def measured_of(self, stored: Stored) -> Reference:
        return excerpts(stored.reference, self.frames, every=self.stride, called="seen")

    def form_of(self, field: str) -> Trained:
        return Trained(self.form, self.frames, self.stride)


def long_enough(stored: Stored, wanted: int, skip_bad: bool) -> Stored:
    """A dataset without the clips that are shorter than a window; itself where none is.

    Args:
        stored: the dataset.
        wanted: frames from the first of a window to behind its last.
        skip_bad: leave such out instead of refusing them.

    Raises:
        UserError: one is, and is not to be left out, or all are.
    """
    reference, lengths = stored.reference, stored.reference.items.lengths
    places = (lengths >= wanted).nonzero().flatten()
    if len(places) == len(lengths):
        return stored
    first = int((lengths < wanted).nonzero()[0])
    if not len(places) or not skip_bad:
        others = len(lengths) - len(places) - 1
        many = f", as {'does one more' if others == 1 else f'do {others} more'}" * (others > 0)
        less = f"lower data.init_args.frames or stride until that is {int(lengths.min())} or less"
        instead = ", or set skip_bad: true to leave such out" if len(places) else ""
        said = TOO_SHORT.format(length=int(lengths[first]), wanted=wanted)
        raise UserError(f"{stored.about['titles'][first]} {said}{many}: {less}{instead}.")
    about = stored.about
    told = {name: [about[name][place] for place in places] for name in ("titles", "pieces") if name in about}
    some = reference._replace(
        digest=f"{reference.digest}-{wanted}", items=reference.items.chosen(places), labels=reference.labels[places]
    )
    return stored._replace(reference=some, about=about | told)
