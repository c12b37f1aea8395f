"""The network of FVD: I3D, Carreira and Zisserman, arXiv 1705.07750, as Unterthiner et al., 1812.01717, ask it."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from ganlit.errors import UserError, within
from ganlit.metrics.features import FeatureExtractor, digest
from ganlit.metrics.video.clips import of_clips
from ganlit.records.downloads import fetched
from ganlit.records.durable import DAMAGE

NAME = "i3d"
URL = "https://www.dropbox.com/s/ge9e5ujwgetktms/i3d_torchscript.pt?dl=1"  # where StyleGAN-V's authors keep it
FILE = "i3d_torchscript.pt"
FRAMES, SIDE, CLASSES = 16, 224, 400
SHORTEST = 10  # frames of which the network's poolings leave something


class I3D(FeatureExtractor):
    """Logits of 400 actions of Kinetics, as the published TorchScript file gives them of the first frames of clips.

    The file brings frames to 224x224 and to [-1, 1] itself. Published FVDs are of 2,048 clips and 16 frames, or 128.

    Args:
        frames: of a clip that are seen; longer ones are cut.

    Raises:
        UserError: the file is not here and cannot be downloaded, or is another.
    """

    name, dim = NAME, CLASSES

    def __init__(self, frames: int = FRAMES) -> None:
        super().__init__()
        within(f"extractor {NAME}:{frames}: the number of frames", frames, least=SHORTEST, most=2**12)
        self.frames = frames
        path = fetched(URL, f"extractor {NAME}", FILE)
        self.home = str(path)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # TorchScript is deprecated, the file is what it is
                self.network = torch.jit.load(path, map_location="cpu").eval()
            seen = self.logits(torch.zeros(1, 3, frames, SIDE, SIDE))
        except DAMAGE as error:
            reason = " ".join(str(error).split())[:200]
            raise UserError(f"extractor {NAME}: {path} cannot be used ({reason}): put {URL} there.") from error
        if list(seen.shape) != [1, CLASSES]:
            raise UserError(f"extractor {NAME}: {path} gives {list(seen.shape)} of a clip: put {URL} there.")
        self.protocol = f"{NAME}@{digest(self.network.state_dict())}/{SIDE}-{frames}frames"

    @property
    def batch(self) -> int:
        return 2 if self.device.type == "cpu" else 16

    def encode(self, clips: Tensor) -> dict[str, Tensor]:
        clips = of_clips(clips, self.name, least=self.frames)[:, :, : self.frames]
        return {"pool": self.logits(clips.float().expand(-1, 3, -1, -1, -1))}

    @torch.no_grad()
    def logits(self, clips: Tensor) -> Tensor:
        """[B, 400] of clips [B, 3, T, H, W] from 0 to 255, of any size."""
        return self.network(clips, rescale=True, resize=True, return_features=True).float()
