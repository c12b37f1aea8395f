"""What the frames of a clip show, one by one, as a probe of the real clips' own classes sees it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, one_hot

from ganlit.contracts import Reference
from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.filters import described, filters
from ganlit.metrics.portrait import fixed_choice
from ganlit.metrics.probe import Probe, fit_probe
from ganlit.metrics.video.clips import chosen, drawn, of_clips
from ganlit.metrics.video.trajectory import FAINT, centres, mass

NAME = "votes"
LEARNT = 5000  # real clips that the probe learns from, at most, a frame of each
AT_ONCE = 256
SIDE, WIDE = 20, 5.0  # of what is looked at: places, and standard deviations of where the bright ones are


class Votes(FeatureExtractor):
    """The share of a clip's frames in which a probe sees each class; a frame with nothing bright has no vote.

    Frames are brought to one place and size before, by their centre of mass and its spread, so that what moves and
    keeps its form looks the same; the probe is a regression on filters that are drawn once and never learn.
    """

    name, dim, batch = NAME, 1, 64

    def __init__(self) -> None:
        super().__init__()
        self.probe: Probe | None = None
        self.protocol = f"{NAME}@none/centred{SIDE}"
        self.filters = filters()

    def learn(self, reference: Reference, view: Callable[[Tensor], Tensor]) -> None:
        """Has the probe learn what classes look like; of clips without classes it is none."""
        self.protocol = f"{NAME}@{reference.digest[:8]}/centred{SIDE}"
        self.dim = max(len(reference.classes), 1)
        if len(reference.classes) < 2:
            return
        places = fixed_choice(len(reference.items), LEARNT).sort().values
        rows, labels = [], []
        for part in places.split(AT_ONCE):
            clips = of_clips(view(reference.items[part]).cpu(), self.name)
            frame = chosen(clips, drawn(clips, clips.shape[2]))
            rows.append(self.described(frame[:, :, None])[:, 0])
            labels.append(reference.labels[part])
        self.probe = fit_probe(torch.cat(rows), torch.cat(labels), self.dim)

    def encode(self, clips: Tensor) -> dict[str, Tensor]:
        of_clips(clips, self.name)
        if self.probe is None:
            return {"pool": torch.zeros(len(clips), self.dim)}
        seen = mass(clips).sum(dim=(2, 3)) > 0
        classes = self.probe.probabilities(self.described(clips).flatten(0, 1)).argmax(1).view(seen.shape)
        votes = one_hot(classes, self.dim) * seen[..., None]
        return {"pool": votes.double().mean(dim=1).float()}

    def described(self, clips: Tensor) -> Tensor:
        """Features [B, T, d] of each frame of uint8 clips [B, C, T, H, W]."""
        images = centred(clips)
        return described(images.flatten(0, 1)[:, None], self.filters).unflatten(0, images.shape[:2])


def centred(clips: Tensor) -> Tensor:
    """What is bright in each frame of uint8 clips [B, C, T, H, W], at one place and of one size: [B, T, SIDE, SIDE]."""
    weights = mass(clips)
    place, seen = centres(clips)
    height, width = weights.shape[2:]
    rows = torch.arange(height, dtype=torch.float64, device=clips.device) + 0.5 - height * place[..., :1]
    columns = torch.arange(width, dtype=torch.float64, device=clips.device) + 0.5 - width * place[..., 1:]
    total = weights.sum(dim=(2, 3)).clamp(min=1e-9)
    around = (weights.sum(3) * rows**2).sum(2) + (weights.sum(2) * columns**2).sum(2)
    radius = (around / total / 2).sqrt().where(seen, 1.0).clamp(min=0.5)  # pixels
    spots = WIDE / 2 * (2 * (torch.arange(SIDE, dtype=torch.float64, device=clips.device) + 0.5) / SIDE - 1)
    reach = radius[..., None] * spots  # pixels from the centre [B, T, SIDE]
    down = 2 * (place[..., :1] + reach / height) - 1
    right = 2 * (place[..., 1:] + reach / width) - 1
    grid = torch.stack(torch.broadcast_tensors(right[..., None, :], down[..., :, None]), dim=-1).flatten(0, 1)
    images = (weights / (1 - FAINT)).flatten(0, 1)[:, None].float()
    return grid_sample(images, grid.float(), align_corners=False)[:, 0].unflatten(0, weights.shape[:2])
