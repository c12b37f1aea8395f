"""Small players with all that has a state, trained for some steps on noise, anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from noises import Noises, Turned
from torch import Tensor
from torch.overrides import TorchFunctionMode

from ganlit.augment.adaptive import ADA
from ganlit.callbacks.budget import Budget
from ganlit.callbacks.checkpoint import DurableIO
from ganlit.contracts import Labelled
from ganlit.ema import EMA
from ganlit.losses.adversarial import LeastSquares, NonSaturating
from ganlit.losses.reconstruction import L1
from ganlit.losses.regularizers.generator import PathLength
from ganlit.losses.regularizers.gradient import R1
from ganlit.losses.weight import AdaptiveWeight
from ganlit.networks.images.dcgan import DCDiscriminator, DCGenerator
from ganlit.networks.images.patchgan import PatchDiscriminator
from ganlit.networks.images.resnet import ResNetGenerator
from ganlit.networks.images.stylegan import StyleDiscriminator, StyleGenerator
from ganlit.networks.pairs import ThereAndBack
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.cycle import CycleTranslation
from ganlit.tasks.synthesis import Synthesis
from ganlit.tasks.translation import Translation

BATCH = 8
HERE = {"accelerator": "cpu"}
DRAWS = (torch.rand, torch.randn, torch.randint)
DRAWS_ALIKE = (torch.randn_like, torch.rand_like)


def duel(parts: Callable[[], dict[str, Any]] = dict, channels: int = 1) -> Synthesis:
    """The same two players each time; plain gradient steps, by which what differs stays as small as it is.

    Args:
        parts: makes what takes the place of other parts.
        channels: of the images.
    """
    torch.manual_seed(0)
    sgd = partial(torch.optim.SGD, lr=0.05)
    size = {"channels": channels, "classes": 2, "channel_base": 64, "channel_max": 8}
    defaults = {
        "generator": StyleGenerator(16, z_dim=8, w_dim=8, mapping_depth=2, **size),
        "discriminator": StyleDiscriminator(16, **size),
        "loss": NonSaturating(),
        "generator_optimizer": sgd,
        "discriminator_optimizer": sgd,
        "regularizers": [R1(weight=0.1, every=2)],
        "generator_regularizers": [PathLength(weight=0.1, every=2)],
        "augment": ADA(p=0.5, speed=0.2, interval=1),
        "ema": partial(EMA, half_life=0.05),
    }
    return Synthesis(**(defaults | parts()))


def mend(parts: Callable[[], dict[str, Any]] = dict) -> Translation:
    """A generator that takes data, and a discriminator with batch statistics that sees sources, too."""
    torch.manual_seed(0)
    return Translation(
        criteria=[L1(10.0)],
        generator=ResNetGenerator(1, 1, blocks=1, width=2),
        discriminator=PatchDiscriminator(2, field=16, norm="batch", width=4),
        conditional=True,
        **of_data() | parts(),
    )


def return_trip(parts: Callable[[], dict[str, Any]] = dict) -> CycleTranslation:
    """Two of them that go both ways, with pools that are full after the first step."""
    torch.manual_seed(0)
    return CycleTranslation(
        cycle=[L1(10.0)],
        identity=[L1()],
        pool=BATCH,
        generator=ThereAndBack(*(ResNetGenerator(1, 1, blocks=1, width=2) for _ in range(2))),
        discriminator=ThereAndBack(*(PatchDiscriminator(1, field=16, width=4) for _ in range(2))),
        **of_data() | parts(),
    )


def of_data() -> dict[str, Any]:
    """What games of generators that take data have in common."""
    sgd = partial(torch.optim.SGD, lr=0.01)
    learning = {"generator_optimizer": sgd, "discriminator_optimizer": sgd, "ema": partial(EMA, half_life=0.05)}
    return {"loss": LeastSquares(), "adversarial": AdaptiveWeight(), **learning}


def trained(
    module: AdversarialModule,
    steps: int,
    where: dict[str, Any],
    callbacks: Iterable[Callback] = (),
    folder: Path | None = None,
    ckpt_path: Path | None = None,
    tick: int = 100,
    **options: Any,
) -> AdversarialModule:
    """The module after so many steps.

    Args:
        where: what the Trainer is told of the device.
        tick: steps from one validation to the next.
    """
    quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    trainer = Trainer(
        max_epochs=-1,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        default_root_dir=folder,
        plugins=[DurableIO()],
        callbacks=[Budget(steps * BATCH / 1000), *callbacks],
        **(quiet | where | options),
    )
    data = (Turned if module.takes_data else Noises)(batch=BATCH, tick=tick * BATCH / 1000, val_images=2 * BATCH)
    trainer.fit(module, data, ckpt_path=ckpt_path)
    return module


def plain(**parts: Any) -> dict[str, Any]:
    """Smaller networks and no penalties, for what does not depend on them."""
    networks = {
        "generator": DCGenerator(16, channels=1, z_dim=8, width=4),
        "discriminator": DCDiscriminator(16, channels=1, width=4),
    }
    return networks | {"regularizers": [], "generator_regularizers": []} | parts


def adam() -> dict[str, Any]:
    """An optimizer that remembers."""
    built = partial(torch.optim.Adam, lr=1e-3, betas=(0.0, 0.99), eps=1e-3)  # else it divides what is rounding
    return {"generator_optimizer": built, "discriminator_optimizer": built}


def in_parts() -> dict[str, Any]:
    """All else that makes a step another one."""
    return {"accumulate": 2, "n_critic": 2, "generator_clip": 0.1, "discriminator_clip": 0.1} | adam()


def example() -> Labelled:
    """A batch as networks take it."""
    data = Noises(batch=BATCH)
    return data.to_network(data.dataset[torch.arange(BATCH)])


class DrawnHere(TorchFunctionMode):
    """Random numbers come from the CPU's generator, for any device: so two devices play the same game."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func in DRAWS and kwargs.get("device") is not None:
            place = kwargs.pop("device")
            return func(*args, **kwargs).to(place)
        if func in DRAWS_ALIKE:
            alike = torch.empty_strided(args[0].size(), args[0].stride(), dtype=args[0].dtype)
            return func(alike, *args[1:], **kwargs).to(args[0].device)
        return func(*args, **kwargs)


def state(module: AdversarialModule) -> dict[str, Tensor]:
    """All that is trained and remembered, on the CPU."""
    pools = {f"pools.{way}": pool.items for way, pool in getattr(module, "pools", {}).items() if pool.items is not None}
    return {name: tensor.detach().cpu() for name, tensor in (module.state_dict() | pools).items()}
