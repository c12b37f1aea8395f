"""What was seen of clips, and what comes next."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from torch import Tensor
from torch.utils.data import Dataset

from ganlit.contracts import Pair, Reference
from ganlit.data.base import GanDataModule
from ganlit.data.video.clips import Clips
from ganlit.data.video.digits import MovingDigits
from ganlit.data.video.form import LONGEST, Trained
from ganlit.errors import within


class Parted(Dataset[Pair]):
    """Windows as pairs of their first frames and the others.

    Args:
        windows: Labelled batches with items [B, C, T, H, W].
        past: the number of the first ones.
    """

    def __init__(self, windows: Dataset, past: int) -> None:
        self.windows = windows
        self.past = past
        self.endless = getattr(windows, "endless", False)

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, indices: Tensor) -> Pair:
        item, label = self.windows[indices]
        return Pair(item[:, :, : self.past], item[:, :, self.past :], label)


class Part:
    """Some frames of items [N, C, T, H, W], read when they are asked for.

    Args:
        items: these.
        frames: which.
    """

    def __init__(self, items: Any, frames: slice) -> None:
        self.items = items
        self.frames = frames

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, wanted: slice | Tensor) -> Tensor:
        return self.items[wanted][:, :, self.frames].contiguous()


class Foretold(GanDataModule):
    """Makes of windows what was seen and what comes next; comes before the class that has the windows.

    Attributes:
        past: frames that are seen.
    """

    past: int

    @property
    def dataset(self) -> Parted:
        return Parted(super().dataset, self.past)

    @property
    def measured(self) -> Parted:
        return Parted(super().measured, self.past)

    @property
    def reference(self) -> Reference:
        return self._part(super().reference, "target")

    def reference_of(self, field: str) -> Reference:
        return self._part(super().reference, field)

    def trained_of(self, field: str) -> Reference:
        return self._part(super().trained_of(field), field)

    def form_of(self, field: str) -> Trained | None:
        whole: Trained | None = super().form_of(field)
        if whole is None:
            return None
        return whole._replace(frames=self.past, end=True) if field == "source" else whole

    def _part(self, whole: Reference, field: str) -> Reference:
        frames = slice(self.past) if field == "source" else slice(self.past, None)
        called = f"past{self.past}" if field == "source" else f"behind{self.past}"
        return whole._replace(
            name=f"{whole.name}-{called}",
            digest=blake2b(f"{whole.digest}-{called}".encode(), digest_size=16).hexdigest(),
            items=Part(whole.items, frames),
        )


class Prediction(Foretold, Clips):
    """The first frames of windows as sources, and as targets those that come next.

    Args:
        source: as for `Clips`.
        past: frames of a source.
        next: frames of a target.
        resolution: as for `Clips`, and so is all else.
        clips: the rest.
    """

    def __init__(self, source: str, past: int, next: int, resolution: int, **clips: Any) -> None:
        _refuse(past, next)
        super().__init__(source, past + next, resolution, **clips)
        self.past = past


class DigitsPrediction(Foretold, MovingDigits):
    """The same of moving digits, of which it is known what comes next.

    Args:
        past: frames of a source.
        next: frames of a target.
        digits: as in `MovingDigits`, and so is all else.
    """

    def __init__(self, past: int, next: int, **digits: Any) -> None:
        _refuse(past, next)
        super().__init__(past + next, **digits)
        self.past = past


def _refuse(past: int, next: int) -> None:
    for key, frames in {"past": past, "next": next}.items():
        within(f"data.init_args.{key}", frames, least=1, most=LONGEST)
