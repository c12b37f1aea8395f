"""What is measured: networks, sizes and what else costs time, in the order in which it matters."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ganlit.augment.adaptive import ADA
from ganlit.configuration.rebuild import build
from ganlit.configuration.resolve import resolve
from ganlit.contracts import Labelled, Pair, Reference
from ganlit.data.base import GanDataModule
from ganlit.data.images.images import LabelledImages
from ganlit.data.images.modality import ImageModality
from ganlit.losses.adversarial import NonSaturating
from ganlit.losses.regularizers.generator import PathLength
from ganlit.losses.regularizers.gradient import R1
from ganlit.networks.images.stylegan import StyleDiscriminator, StyleGenerator
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.synthesis import Synthesis

SHIPPED = Path(__file__).resolve().parents[2] / "configs"
LITE = SHIPPED / "stylegan_lite.yaml"
CONFIGS = {
    path.stem: path
    for path in (LITE, SHIPPED / "enhancement" / "super_resolution.yaml", SHIPPED / "translation" / "unseen_map.yaml")
}
BATCH = 64  # of StyleGAN2-ADA's configurations for 32 and for 256 pixels, arXiv 2006.06676, appendix D
SIZES = (32, 64, 128, 256)
SMALL = (16,)  # of a rehearsal
TINY = {"z_dim": 8, "w_dim": 8, "mapping_depth": 2, "channel_base": 64, "channel_max": 8}  # networks of a rehearsal


class Setting(NamedTuple):
    """One training whose speed is asked for."""

    network: str  # a config's name, or "StyleGAN2" with the widths of photos.yaml: half of the first paper's
    resolution: int
    batch: int
    precision: str = "bf16-mixed"
    ada: bool = False
    penalties: bool = True  # R1 and path length; of stylegan_lite R1 alone
    more: str = ""  # "compiled", or "channels first"

    @property
    def name(self) -> str:
        own = f"{self.network} {self.resolution}, batch {self.batch}, {self.precision}"
        extras = [*(["ADA"] if self.ada else []), *([] if self.penalties else ["no penalties"]), self.more]
        return ", ".join([own, *filter(None, extras)])


class Plan(NamedTuple):
    """Settings for a GPU, or as few and small ones for a rehearsal."""

    smoke: bool

    @property
    def sizes(self) -> tuple[int, ...]:
        return SMALL if self.smoke else SIZES

    def lite(self, **others: Any) -> Setting:
        return Setting("stylegan_lite", 32, 4 if self.smoke else 32, **others)

    @property
    def of_data(self) -> list[Setting]:
        """Two tasks that take data, by the smallest config of each."""
        return [Setting(name, 32, 2 if self.smoke else BATCH) for name in ("super_resolution", "unseen_map")]

    def full(self, size: int, **others: Any) -> Setting:
        return Setting("StyleGAN2", size, **({"batch": 4 if self.smoke else BATCH} | others))

    @property
    def speed(self) -> list[Setting]:
        """Networks at all sizes, with ADA, of other tasks, and in the other precision."""
        first = [self.lite(), *(self.full(size) for size in self.sizes)]
        ada = [each._replace(ada=True) for each in first[1:]]
        exact = [] if self.smoke else [each._replace(precision="32-true") for each in first]
        return [*first, *ada, *self.of_data, *exact]

    @property
    def profiled(self) -> list[Setting]:
        return [self.full(self.middle)] if self.smoke else [self.lite(), self.full(self.middle)]

    @property
    def middle(self) -> int:
        """The size at which variations are tried."""
        return self.sizes[len(self.sizes) // 2]

    @property
    def variations(self) -> list[Setting]:
        """What may pay on a GPU: torch compiles no double backward, so penalties are left out there."""
        free = {"penalties": False}
        tried = [self.full(self.middle, more="channels first"), self.full(self.middle, more="compiled", **free)]
        return tried if self.smoke else [*tried, self.lite(**free, more="compiled")]


def module_of(setting: Setting, smoke: bool) -> AdversarialModule:
    """The untrained module; a rehearsal's networks are tiny."""
    torch.manual_seed(0)
    if path := CONFIGS.get(setting.network):
        module = build(resolve(["--config", str(path)]), path)
        module.augment = ADA(p=0.2) if setting.ada else module.augment
        module.regularizers = module.regularizers if setting.penalties else torch.nn.ModuleList()
        if module.takes_data:
            module.weight.start = module.weight.lead = 0.0  # both players play from the first step on
    else:
        size = {"resolution": setting.resolution, "channels": 3}
        adam = partial(torch.optim.Adam, lr=0.0025, betas=(0.0, 0.99))
        widths = {name: value for name, value in TINY.items() if name.startswith("channel")}
        module = Synthesis(
            StyleGenerator(**size, **(TINY if smoke else {})),
            StyleDiscriminator(**size, **(widths if smoke else {})),
            NonSaturating(),
            generator_optimizer=adam,
            discriminator_optimizer=adam,
            regularizers=[R1(weight=1.0, every=16)] if setting.penalties else [],
            generator_regularizers=[PathLength(every=4)] if setting.penalties else [],
            augment=ADA(p=0.2) if setting.ada else None,
        )
    if setting.more == "channels first":
        for tensor in (*module.parameters(), *module.buffers()):
            tensor.data = tensor.data.contiguous()
    if setting.more == "compiled":
        for network in (module.generator, module.discriminator):
            network.compile(disable=smoke)  # which takes longer than all else of a rehearsal
    return module


class Noise(GanDataModule):
    """Random bytes in the shape of what a module trains on: they cost what real items in memory do."""

    modality = ImageModality()

    def __init__(self, setting: Setting, module: AdversarialModule) -> None:
        super().__init__(batch=setting.batch, tick=1e6, val_images=setting.batch)
        classes = getattr(module.generator, "classes", 0)
        channels = 1 if setting.network in ("stylegan_lite", "unseen_map") else 3
        shape = (max(setting.batch, 512), channels, setting.resolution, setting.resolution)
        images = torch.randint(0, 256, shape, dtype=torch.uint8)
        self.noise = Labelled(images, torch.arange(len(images)) % max(classes, 1))
        self.names = tuple(map(str, range(classes)))
        self.scale = getattr(module.generator, "scale", 1) if module.takes_data else None

    @property
    def reference(self) -> Reference:
        return Reference("noise", "0", *self.noise, self.names)

    @property
    def dataset(self) -> Dataset[Any]:
        return LabelledImages(*self.noise) if self.scale is None else Smaller(self.noise.item, self.scale)


class Smaller(Dataset[Pair]):
    """Images [N, C, H, W] as targets, and every so-many-th pixel of them as sources."""

    def __init__(self, images: Tensor, scale: int) -> None:
        self.images, self.scale = images, scale

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, places: Tensor) -> Pair:
        images = self.images[places]
        return Pair(images[..., :: self.scale, :: self.scale], images)
