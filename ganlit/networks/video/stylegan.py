"""Content and motion apart, on StyleGAN-lite.

The generator is that of StyleGAN-V, Skorokhodov et al., arXiv 2112.14683, section 3.1. Its discriminators are those of
MoCoGAN, Tulyakov et al., arXiv 1707.04993, section 3.1, and DIGAN, Yu et al., arXiv 2202.10571, section 3.2: one sees
frames by themselves, the other a few at a time and how far apart these are. `networks.several` makes one of both.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import grid_sample
from torch.utils.checkpoint import checkpoint

from ganlit.errors import UserError, within
from ganlit.networks.images.stylegan import StyleDiscriminator, StyledLayer, StyleGenerator
from ganlit.networks.layers import wide
from ganlit.networks.sizes import check
from ganlit.networks.video.motion import MotionCodes, continued, refuse_clip


class MotionGenerator(StyleGenerator):
    """Each frame is an image of one style, which all of a clip share, and of the frame's own code of motion.

    A latent holds, in this order, what the style is made from, the noise of motion for a clip as long as those of the
    training, and one number that says where between two codes it begins. All that a clip is follows from its latent:
    without training it is the same each time, and a longer one begins like a shorter.

    Args:
        frames: of a clip in training.
        resolution: a power of two from 16 to 1024.
        channels: 1 for grey clips, 3 for colour.
        classes: 0 for an unconditional generator.
        content_dim: numbers of a latent that the style is made from.
        motion_dim: of a code.
        motion_z: numbers of a latent for the noise at each place.
        distance: frames from a code to the next: few for fast motion.
        w_dim: size of a style.
        mapping_depth: layers of the mapping network.
        channel_base: feature maps times resolution.
        channel_max: the most feature maps of a layer.
        style_mixing: share of the clips of a training batch that change style halfway.
        bounded: end in tanh, for data that fills its range, such as strokes on black.
        moves: draw one image for all of a clip, which codes move about as it is, as a spatial transformer (Jaderberg et
            al., arXiv 1506.02025): for things that go about and keep their form; by default each frame is drawn anew.
        together: frames that are drawn at a time in training, those before being drawn again for the gradient, which
            needs less memory and a third more time; by default all of a clip.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(
        self,
        frames: int,
        resolution: int,
        channels: int = 3,
        classes: int = 0,
        content_dim: int = 512,
        motion_dim: int = 64,
        motion_z: int = 16,
        distance: int = 16,
        w_dim: int = 512,
        mapping_depth: int = 8,
        channel_base: int = 16384,
        channel_max: int = 512,
        style_mixing: float = 0.0,
        bounded: bool = False,
        moves: bool = False,
        together: int | None = None,
    ) -> None:
        check("MotionGenerator", content_dim=content_dim)
        refuse_clip(frames, 1)
        within("MotionGenerator.together", together, least=1, optional=True)
        super().__init__(
            resolution,
            channels,
            classes,
            content_dim,
            w_dim,
            mapping_depth,
            channel_base,
            channel_max,
            style_mixing,
            bounded,
        )
        self.frames, self.content_dim, self.together = frames, content_dim, together
        self.motion = MotionCodes(motion_dim, motion_z, distance)
        self.places = self.motion.places(frames)
        self.z_dim = content_dim + self.places * motion_z + 1
        maps = self.constant.shape[1]
        self.shift = nn.Linear(motion_dim, 2) if moves else None
        if not moves:
            self.layers[0] = StyledLayer(maps + motion_dim, maps, w_dim)
        for layer in self.layers:
            layer.noise = nn.Identity()  # what is drawn anew in each frame would flicker

    def forward(
        self, z: Tensor, label: Tensor, truncation: float = 1.0, frames: int | None = None, step: float = 1.0
    ) -> Tensor:
        """Latents [B, z_dim] and labels [B] to clips [B, C, frames, H, W].

        Args:
            truncation: psi; below one, styles are drawn towards the mean style of their class.
            frames: of a clip; by default as many as in training.
            step: frames of the training from one to the next: 0.5 is twice as many a second.
        """
        return self.synthesise(self.styles(z, label, truncation), z[:, self.content_dim :], frames, step)

    def styles(self, z: Tensor, label: Tensor, truncation: float = 1.0) -> Tensor:
        return super().styles(z[:, : self.content_dim], label, truncation)

    def synthesise(
        self, styles: Tensor, motion: Tensor | None = None, frames: int | None = None, step: float = 1.0
    ) -> Tensor:
        """Styles [B, layers + 1, w_dim] to clips [B, C, frames, H, W].

        Args:
            motion: [B, z_dim - content_dim] what of latents is motion; by default it is drawn.
            frames: as in `forward`, and so is the next.
        """
        if motion is None:
            motion = torch.randn(len(styles), self.z_dim - self.content_dim, device=styles.device)
        codes = self.codes(motion, self.frames if frames is None else frames, step)
        if self.shift is not None:
            image = wide(super().synthesise(styles))
            with torch.autocast(codes.device.type, enabled=False):  # a place has no few digits to lose
                return moved(image, self.shift(codes))
        x = torch.cat([self.constant.expand(codes.shape[:2].numel(), -1, -1, -1), spread(codes)], dim=1)
        images = self._by_parts(x, styles.repeat_interleave(codes.shape[1], dim=0), len(styles))
        return images.unflatten(0, codes.shape[:2]).transpose(1, 2)

    def codes(self, motion: Tensor, frames: int, step: float = 1.0) -> Tensor:
        """[B, frames, motion_dim] of what of latents is motion [B, z_dim - content_dim]."""
        refuse_clip(frames, step)
        noise, start = motion[:, :-1].unflatten(1, (self.places, -1)), torch.special.ndtr(motion[:, -1:].float())
        times = self.motion.distance * start + step * torch.arange(frames, device=motion.device)
        return self.motion(continued(motion, noise, self.motion.places(step * frames)), times)

    def _by_parts(self, x: Tensor, styles: Tensor, clips: int) -> Tensor:
        """Images from what the first layer takes and their styles."""
        if self.together is None or not torch.is_grad_enabled():
            return self.drawn(x, styles)
        parts = zip(*(each.split(self.together * clips) for each in (x, styles)), strict=True)
        return torch.cat([checkpoint(self.drawn, *part, use_reentrant=False) for part in parts])


def moved(images: Tensor, shift: Tensor) -> Tensor:
    """Images [B, C, H, W] in float32 as clips [B, C, T, H, W]: moved down and to the right, between pixels, too.

    Args:
        images: at their borders they go on as they end there.
        shift: [B, T, 2] in sides.
    """
    batch, channels, height, width = images.shape
    rows, columns = ((2 * torch.arange(size, device=images.device) + 1) / size - 1 for size in (height, width))
    down, right = (2 * shift[..., axis].flatten()[:, None] for axis in (0, 1))
    places = torch.stack(torch.broadcast_tensors((columns - right)[:, None, :], (rows - down)[:, :, None]), dim=-1)
    frames = images.repeat_interleave(shift.shape[1], dim=0)
    found = grid_sample(frames, places, padding_mode="border", align_corners=False)
    return found.view(batch, -1, channels, height, width).transpose(1, 2)


def spread(codes: Tensor) -> Tensor:
    """Codes [B, T, d] over the places of the first layer, [B T, d, 4, 4]."""
    return codes.flatten(0, 1)[:, :, None, None].expand(-1, -1, 4, 4)


class FrameDiscriminator(StyleDiscriminator):
    """Judges frames of a clip by themselves, in training drawn anew for each clip, else at equal distances.

    Args:
        resolution: as in `StyleDiscriminator`, and so are the others but for `looks`.
        looks: frames of a clip that are judged.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(
        self,
        resolution: int,
        channels: int = 3,
        classes: int = 0,
        looks: int = 1,
        channel_base: int = 16384,
        channel_max: int = 512,
        minibatch_group: int = 4,
    ) -> None:
        check("FrameDiscriminator", looks=looks)
        super().__init__(resolution, channels, classes, channel_base, channel_max, minibatch_group)
        self.looks = looks

    def forward(self, item: Tensor, label: Tensor) -> Tensor:
        """Clips [B, C, T, H, W] and labels [B] to logits [B, looks]."""
        frames, _ = looked_at(item, self.looks, self.training)
        # One of each clip after the other, so that groups of neighbours are of several clips.
        logits = super().forward(frames.transpose(0, 1).flatten(0, 1), label.repeat(self.looks))
        return logits.unflatten(0, (self.looks, -1)).T


class MotionDiscriminator(StyleDiscriminator):
    """Judges a few frames of a clip at a time, and how far apart they are, by a plane of each difference in time.

    In training frames are drawn anew for each clip, else they are at equal distances.

    Args:
        resolution: as in `StyleDiscriminator`, and so are the others but for `looks`.
        looks: frames that are judged together: 2 in DIGAN, 3 in StyleGAN-V.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(
        self,
        resolution: int,
        channels: int = 3,
        classes: int = 0,
        looks: int = 3,
        channel_base: int = 16384,
        channel_max: int = 512,
        minibatch_group: int = 4,
    ) -> None:
        check("MotionDiscriminator", channels=channels)
        within("MotionDiscriminator.looks", looks, least=2, most=2**10)
        planes = looks * channels + looks - 1
        super().__init__(resolution, planes, classes, channel_base, channel_max, minibatch_group)
        self.looks = looks

    def forward(self, item: Tensor, label: Tensor) -> Tensor:
        """Clips [B, C, T, H, W] and labels [B] to logits [B]."""
        frames, places = looked_at(item, self.looks, self.training)
        apart = places.diff(dim=1).to(frames) / (item.shape[2] - 1)
        planes = apart[:, :, None, None].expand(-1, -1, *item.shape[3:])
        return super().forward(torch.cat([frames.flatten(1, 2), planes], dim=1), label)


def looked_at(clips: Tensor, looks: int, drawn: bool) -> tuple[Tensor, Tensor]:
    """Some frames of clips [B, C, T, H, W], [B, looks, C, H, W], and which these are, [B, looks] in ascending order.

    Args:
        looks: how many of each clip.
        drawn: all choices are as likely; else they are at equal distances, from the first to the last.

    Raises:
        UserError: there are not as many.
    """
    batch, _, frames = clips.shape[:3]
    if frames < looks:
        raise UserError(
            f"a discriminator looks at {looks} frames of a clip, but is shown clips of {frames}: set its looks to less."
        )
    if drawn:
        places = torch.rand(batch, frames, device=clips.device).argsort(dim=1)[:, :looks].sort(dim=1).values
    else:
        spots = [math.floor((frames - 1) * (place / (looks - 1) if looks > 1 else 0.5)) for place in range(looks)]
        places = torch.tensor(spots, device=clips.device).expand(batch, -1)
    return clips.transpose(1, 2)[torch.arange(batch, device=clips.device)[:, None], places], places
