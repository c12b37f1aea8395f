"""Clips as networks of images see their frames."""

from __future__ import annotations

import torch
from torch import Tensor

from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.video.clips import chosen, drawn, of_clips


class ByFrames(FeatureExtractor):
    """What an extractor of images says of a few frames of each clip.

    Which they are follows from the clip's own bytes, and all places are as likely: so a set of clips is seen at all
    times, each clip is one item, whose frames would not be independent, and clips of any length can be compared.

    Args:
        images: that extractor.
    """

    looks: int  # frames that it sees of a clip, at most

    def __init__(self, images: FeatureExtractor) -> None:
        super().__init__()
        self.images = images
        self.home = images.home
        self.protocol = f"{images.protocol}-{self.name}"

    @property
    def batch(self) -> int:
        return max(1, self.images.batch // self.looks)


class Frame(ByFrames):
    """One frame of a clip: the FID by it is that of single frames, one of each clip."""

    name, looks = "frame", 1

    def __init__(self, images: FeatureExtractor) -> None:
        super().__init__(images)
        self.dim, self.classes = images.dim, images.classes

    def encode(self, clips: Tensor) -> dict[str, Tensor]:
        of_clips(clips, self.name)
        return self.images(chosen(clips, drawn(clips, clips.shape[2])))


class Transition(ByFrames):
    """A few frames in a row and how they change: the means of features, and of how far these go from each to the next.

    Of frozen clips nothing changes, of shuffled ones too much, though their single frames are the same. Since a mean
    is what differs, and not a variance alone, some hundred clips tell it. Which way time goes it cannot see.
    """

    name, looks = "transition", 5

    def __init__(self, images: FeatureExtractor) -> None:
        super().__init__(images)
        self.dim = 2 * images.dim

    def encode(self, clips: Tensor) -> dict[str, Tensor]:
        of_clips(clips, self.name, least=2)
        count = min(self.looks, clips.shape[2])
        first = drawn(clips, clips.shape[2] - count + 1)
        frames = torch.stack([chosen(clips, first + place) for place in range(count)], dim=1)
        seen = self.images(frames.flatten(0, 1))["pool"].unflatten(0, (-1, count))
        return {"pool": torch.cat([seen.mean(dim=1), seen.diff(dim=1).abs().mean(dim=1)], dim=1)}
