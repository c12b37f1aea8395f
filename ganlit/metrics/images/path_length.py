"""Perceptual path length: how much images change on a short way through the latent space."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from ganlit.contracts import Made, spaces
from ganlit.errors import UserError
from ganlit.metrics.features import FeatureExtractor, exact_float32
from ganlit.metrics.gauges import Means, Shown

EPSILON = 1e-4  # of the way from one latent to the other
LOWEST, HIGHEST = 0.01, 0.99  # of the distances, those that count


class PathLengths(Means):
    """Karras et al., arXiv 1812.04948, section 4.1: squared steps of 1e-4 of the way between two latents.

    Steps begin anywhere on the way ("full") or at the first latent ("end"), on a straight line in z and, where a
    generator has styles, in w; distances below the 1st and above the 99th percentile are left out. So it is in
    torch-fidelity, whose own is z-end, but for the distance: images are compared by an extractor's layers at their own
    size, each place brought to length one, all layers alike (Zhang et al., arXiv 1801.03924, without its authors'
    weights). Numbers by different extractors are different numbers.

    Latents are those of a place, whatever the seed of a run. Both ends have the class of the item whose place they
    take, and noise in the layers is alike for both.

    Args:
        generator: the average.
        extractor: by whose layers images are compared.
        device: on which the ranks can exchange tensors.
    """

    what = "pairs"

    def __init__(self, generator: nn.Module, extractor: FeatureExtractor, device: torch.device) -> None:
        super().__init__("-", device)
        self.generator, self.extractor = generator, extractor.to(device)
        self.seen_by = f"{extractor.protocol.split('/')[0]}/inside"

    @torch.no_grad()
    def seen(self, shown: Shown) -> dict[str, Tensor]:
        place = shown.sampled.output.device
        label = torch.zeros_like(shown.places) if shown.labels is None else shown.labels
        label, drawn = label.to(place), [self._drawn(int(each)) for each in shown.places]
        one, other = (torch.stack([draw[side] for draw in drawn]).to(place) for side in (0, 1))
        share = torch.stack([draw[2] for draw in drawn]).to(place)
        found = {}
        with torch.autocast(place.type, enabled=False), exact_float32():
            for space in (each for each in spaces(self.generator) if each in ("z", "w")):
                ends = (one, other) if space == "z" else tuple(self.generator.styles(z, label) for z in (one, other))
                for name, first in {"full": share, "end": torch.zeros_like(share)}.items():
                    first = first.view([-1] + [1] * (ends[0].ndim - 1))
                    steps = [torch.lerp(*ends, first), torch.lerp(*ends, first + EPSILON)]
                    images = [self._images(latent, label, space) for latent in steps]
                    found[f"pathlength-{space}-{name}"] = self._distances(*images).cpu() / EPSILON**2
        return found

    def scored(self, name: str, kept: Tensor) -> Tensor:
        """What lies between the percentiles, which themselves are numbers of the set."""
        return between(kept)

    def _drawn(self, place: int) -> tuple[Tensor, Tensor, Tensor]:
        """Two latents and where on the way between them: of a place, whatever batch it comes in."""
        stream = torch.Generator().manual_seed(place)
        one, other = torch.randn(2, self.generator.z_dim, generator=stream)
        return one, other, torch.rand((), generator=stream)

    def _images(self, latent: Tensor, label: Tensor, space: str) -> Tensor:
        with torch.random.fork_rng(devices=[latent.device] if latent.device.type == "cuda" else []):
            torch.manual_seed(0)
            made = self.generator(latent, label) if space == "z" else self.generator.synthesise(latent)
        return (Made.of(made).output.float().expand(-1, 3, -1, -1) + 1) * 127.5

    def _distances(self, images: Tensor, others: Tensor) -> Tensor:
        """[B] in float64."""
        each = zip(self.extractor.inside(images), self.extractor.inside(others), strict=True)
        depths = [
            (normalize(one, eps=1e-8) - normalize(other, eps=1e-8)).double().square().sum(1).flatten(1).mean(1)
            for one, other in each
        ]
        return torch.stack(depths).mean(0)


def between(distances: Tensor) -> Tensor:
    """Distances [N] from the 1st to the 99th percentile, these being numbers of the set: NumPy's lower and higher."""
    lowest = distances.quantile(LOWEST, interpolation="lower")
    highest = distances.quantile(HIGHEST, interpolation="higher")
    return distances[(lowest <= distances) & (distances <= highest)]


def path_lengths(generator: nn.Module, extractor: FeatureExtractor, modality: str, device: torch.device) -> PathLengths:
    """The gauge of a generator.

    Raises:
        UserError: what it makes are no images.
    """
    if modality != "images":
        raise UserError(f"pathlength compares images, and these are {modality}: leave it out.")
    return PathLengths(generator, extractor, device)
