"""The runs: four architectures, each with what is usual, what dies by itself, and what is made to die.

What a trial was meant to be decides nothing: rates.py asks the truth how it went.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

Tree = dict[str, Any]

RATES = {"ring": 0.002, "grid": 0.002, "dcgan": 0.001, "style": 0.003}  # of the generator
WIDE = {"dcgan": {"width": 16}, "style": {"channel_base": 128, "channel_max": 48}}
BATCHES = {"dcgan": 64, "style": 32}
FEW = {"forty": 32, "twenty": 20}  # a batch of a set that is smaller than a usual one


def trial(
    loss: str = "NonSaturating",
    penalties: dict[str, float] | None = None,
    rate: float = 1.0,
    discriminator: float = 1.0,
    generator: float = 1.0,
    **more: Any,
) -> Tree:
    """One way to train: rates are factors of the usual one of an architecture; of each player, of both."""
    rates = {"generator": rate * generator, "discriminator": rate * discriminator}
    return {"loss": loss, "penalties": penalties or {}, "rates": rates, **more}


EVERYWHERE = {
    "plain": trial(),
    "r1": trial(penalties={"R1": 0.1}),
    "hinge": trial("Hinge"),
    "least-squares": trial("LeastSquares"),
    "relativistic-r1r2": trial("Relativistic", {"R1": 0.1, "R2": 0.1}),
    "minimax": trial("Minimax"),
    "wasserstein": trial("Wasserstein"),
    "fast": trial(rate=5.0),
    "faster": trial(rate=30.0),
    "quick-judge": trial(discriminator=20.0),
    "slow-judge": trial(discriminator=0.02),
    "frozen": trial(generator=0.0),
    "blow-up": trial(rate=300.0),
}
PLANE = {
    "wasserstein-gp": trial("Wasserstein", {"GradientPenalty": 0.1}),
    "momentum": trial(rate=2.0, betas=(0.9, 0.99)),
    "packed": trial(packed=2),
    "hinge-r1": trial("Hinge", {"R1": 0.1}),
}
DIGITS = {
    "forty": trial(source="forty"),
    "forty-r1": trial(penalties={"R1": 1.0}, source="forty"),
    "twenty": trial(source="twenty"),
    "minimax-r1": trial("Minimax", {"R1": 1.0}),
}
DCGAN = {
    "minimax-critics": trial("Minimax", n_critic=3),
    "wasserstein-gp": trial("Wasserstein", {"GradientPenalty": 10.0}),
    "momentum": trial(rate=2.0, betas=(0.9, 0.999)),
    "slow": trial(rate=0.3),
    "quick-maker": trial(generator=20.0),
}
STYLE = {"classless": trial(penalties={"R1": 0.1}, classless=True), "forty-ada": trial(source="forty", augment="ADA")}

CHOICES = {
    "ring": EVERYWHERE | PLANE,
    "grid": EVERYWHERE | PLANE,
    "dcgan": EVERYWHERE | DIGITS | DCGAN,
    "style": EVERYWHERE | DIGITS | STYLE,
}


def drawn(base: str, name: str) -> bytes:
    """What a configuration's name is hashed to."""
    return blake2b(f"{base}-{name}".encode(), digest_size=1).digest()


TRIALS = tuple(
    sorted(((base, name) for base, names in CHOICES.items() for name in names), key=lambda each: drawn(*each))
)
"""In the order of a hash: of a bench that is ended early the rest is not one kind."""


def kept_away(base: str, name: str) -> bool:
    """Whether a configuration, with all of its seeds, is of the half by which no bound was chosen."""
    return drawn(base, name)[0] % 2 == 1


def overlay(base: str, name: str) -> Tree:
    """What a trial changes in the configuration of its base."""
    chosen = CHOICES[base][name]
    whole = plane(base, chosen) if base in ("ring", "grid") else digits(base, chosen)
    betas = list(chosen.get("betas", (0.5, 0.99) if base != "style" else (0.0, 0.99)))
    arguments = whole["model"]["init_args"]
    arguments |= {
        f"{player}_optimizer": {
            "class_path": "torch.optim.Adam",
            "init_args": {"lr": RATES[base] * rate, "betas": betas},
        }
        for player, rate in chosen["rates"].items()
    }
    arguments |= {"loss": chosen["loss"], "n_critic": chosen.get("n_critic", 1)}
    arguments["regularizers"] = [
        {"class_path": penalty, "init_args": {"weight": weight, "every": 4 if base == "style" else 1}}
        for penalty, weight in chosen["penalties"].items()
    ]
    return whole


def plane(base: str, chosen: Tree) -> Tree:
    """Five hundred steps of small networks, and modes wide enough for these."""
    judge: Tree = {
        "class_path": "PlaneDiscriminator",
        "init_args": {"channels": 2, "width": 128, "depth": 2, "pieces": 2},
    }
    if items := chosen.get("packed"):
        judge["init_args"]["channels"] *= items
        judge = {"class_path": "Packed", "init_args": {"network": judge, "items": items}}
    return {
        "kimg": 64,
        "fidelity": {"metrics": ["modes", "quality", "rkl"]},
        "trainer": {
            "log_every_n_steps": 100,
            "callbacks": [{"class_path": "Samples", "init_args": {"rows": 20, "columns": 25}}],
        },
        "model": {"init_args": {"generator": {"init_args": {"width": 128, "depth": 3}}, "discriminator": judge}},
        "data": {
            "init_args": {
                "deviation": {"ring": 0.05, "grid": 0.2}[base],
                "batch": 128,
                "tick": 3.2,
                "val_images": 1000,
                "test_images": 1000,
            }
        },
    }


def digits(base: str, chosen: Tree) -> Tree:
    """Five hundred steps at 16x16, or four hundred of what is slower; measured against digits that are not learnt."""
    source = chosen.get("source", "train")
    batch = FEW.get(source, BATCHES[base])
    tick = batch * {"dcgan": 25, "style": 20}[base] / 1000
    arguments: Tree = {
        "generator": {"init_args": {"z_dim": 32, **WIDE[base]}},
        "discriminator": {"init_args": dict(WIDE[base])},
        "ema": {"class_path": "EMA", "init_args": {"half_life": 0.5}},
    }
    if chosen.get("classless"):
        arguments["generator"]["init_args"]["classes"] = arguments["discriminator"]["init_args"]["classes"] = 0
    if "augment" in chosen:
        arguments["augment"] = {"class_path": chosen["augment"]}
    return {
        "kimg": round(20 * tick, 3),
        "fidelity": {
            "metrics": ["fid@eyes.Eyes", "prdc@eyes.Eyes", "modes", "rkl"],
            "every": 1,
            "precision": "fp32",
        },
        "trainer": {
            "precision": "32-true",
            "log_every_n_steps": 100,
            "callbacks": [{"class_path": "Samples", "init_args": {"rows": 8, "columns": 20}}],
        },
        "model": {"init_args": arguments},
        "data": {
            "init_args": {
                "source": f"digits16/{source}",
                "held_out": "digits16/held",
                "resolution": 16,
                "batch": batch,
                "tick": tick,
                "val_images": 250,
                "test_images": 250,
            }
        },
    }
