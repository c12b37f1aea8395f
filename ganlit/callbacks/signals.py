"""How a training is, told at each validation by numbers that cost next to nothing."""

from __future__ import annotations

import math
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from torch import Tensor

from ganlit.callbacks.fidelity import Fidelity
from ganlit.contracts import Sampled
from ganlit.metrics.ranks import gathered
from ganlit.metrics.signals import PREFIX, Watched, apart, cosine, overfit, overlap
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.clocked import PLAYERS, Player

JUDGED = 64  # real items of either kind that are shown to the discriminator, at most


class Signals(Callback):
    """Logs signal/NAME at each validation of a training: `ganlit.metrics.signals.SIGNALS` says what each tells.

    It looks at what is there anyway: the logits and gradients of the latest steps, the weights, and what validation
    samples, from the same latents all along. The discriminator alone is asked something more: of a few real items that
    were held out, and of as many that it learns, where the data hold some out. Nothing of the training is touched, and
    no random number drawn from it.

    Every run has these. It comes after `Fidelity`, whose score its rows hold too, and ahead of `Alarms` and
    `Checkpoints`: a checkpoint that owes its validation knows what only the steps before it could tell.
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, float]] = []  # of each validation kimg, its signals, and its score by id
        self.tick = -1  # in which the cosines were found
        self.steps: dict[str, float] = {}  # what the steps ahead of a validation tell
        self.before = {"skipped": 0, "images": 0}  # at the last validation
        self.gradients: dict[Player, tuple[list[str], list[Tensor]]] = {}  # of the latest turn, until the next

    def on_train_epoch_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        tick = trainer.datamodule.ticks.at(pl_module.images_seen + 1)
        if tick != self.tick:  # else it goes on
            self.tick, self.steps, self.gradients = tick, {}, {}

    def on_train_batch_end(self, trainer: Trainer, pl_module: AdversarialModule, *_: Any) -> None:
        for player in PLAYERS:
            if f"cosine-{player}" not in self.steps and pl_module.plays(player):
                self._compare(pl_module, player)

    def _compare(self, module: AdversarialModule, player: Player) -> None:
        """The cosine of two successive gradients of a player that are of the same terms."""
        due = [type(each).__name__ for each in module.due(player)]
        parameters = getattr(module, player).parameters()
        gradient = [each.grad for each in parameters if each.grad is not None]
        terms, latest = self.gradients.pop(player, ([], []))
        if latest and terms == due and len(latest) == len(gradient):
            latest = [each.to(other.device) for each, other in zip(latest, gradient, strict=True)]
            self.steps[f"cosine-{player}"] = cosine(latest, gradient)
        else:
            self.gradients[player] = due, [each.clone() for each in gradient]

    def on_validation_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        self.gradients = {}
        self.watched = Watched(trainer.datamodule.modality.traits)
        self.verdicts: dict[str, list[Tensor]] = {"trained": [], "held out": []}
        if trainer.state.fn != "fit" or not pl_module.logits:  # a run that owes a validation knew it all
            return
        latest = {player: pl_module.latest.get(f"gradient/{player}") for player in PLAYERS}
        discriminator, generator = (math.nan if norm is None else float(norm) for norm in latest.values())
        self.steps["gradient-ratio"] = generator / discriminator if discriminator else math.nan
        device = trainer.strategy.root_device
        real, fake = (gathered(pl_module.logits[name].float().flatten(), device).cpu() for name in ("real", "fake"))
        self.steps["overlap"] = overlap(real, fake)
        self.steps["moved"] = apart([*pl_module.generator.parameters()], [*pl_module.ema.module.parameters()])
        self.steps["skipped"] = self._skipped(pl_module)

    def _skipped(self, module: AdversarialModule) -> float:
        """Share of the turns since the last validation; both players are counted as if they had one in each step."""
        now = {"skipped": sum(module.skipped.values()), "images": module.images_seen}
        skipped, images = (now[name] - self.before[name] for name in now)
        self.before = now
        return min(1.0, max(0, skipped) * module.images / (len(PLAYERS) * images)) if images > 0 else math.nan

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        self.places = trainer.datamodule.batches(trainer.datamodule.val_images)
        self.holds_out = trainer.state.fn == "fit" and trainer.datamodule.holds_out

    def on_validation_batch_end(
        self, trainer: Trainer, pl_module: AdversarialModule, outputs: Sampled, batch: Any, batch_idx: int, *_: Any
    ) -> None:
        if trainer.state.fn == "fit":
            places = self.places[batch_idx * trainer.world_size + trainer.global_rank]
            self.watched.add(outputs, places)
            if self.holds_out and outputs.source is None and int(places[0]) < JUDGED:
                self._judge(trainer, pl_module, outputs.reference, batch.label, places)

    def _judge(self, trainer: Trainer, module: AdversarialModule, items: Tensor, label: Tensor, places: Tensor) -> None:
        """Asks the discriminator of held-out items, and of as many that it learns, in its mode of evaluation."""
        trained = module.transfer_batch_to_device(trainer.datamodule.learnt(places), module.device, 0)
        with torch.no_grad(), torch.random.fork_rng(devices=module.devices):
            for name, (shown, of) in {"held out": (items, label), "trained": trained[:2]}.items():
                if (logits := module.opinion(shown, of)) is not None:
                    self.verdicts[name].append(logits.cpu())

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        if trainer.state.fn != "fit":
            return
        device = trainer.strategy.root_device
        found = {**self.steps, **self.watched.finish(device)}
        if self.holds_out:
            none = torch.zeros(0)
            trained, held_out = (gathered(torch.cat([none, *parts]), device) for parts in self.verdicts.values())
            found["overfit"] = overfit(trained, held_out)
        found = trainer.strategy.broadcast({name: value for name, value in found.items() if math.isfinite(value)})
        row = {f"{PREFIX}{name}": value for name, value in found.items()}
        pl_module.log_dict(row)
        self.rows = [each for each in self.rows if each["kimg"] < pl_module.kimg]
        self.rows.append({"kimg": pl_module.kimg, **row, **self._score(trainer, pl_module.kimg)})

    def _score(self, trainer: Trainer, kimg: float) -> dict[str, float]:
        fidelity = next((each for each in trainer.callbacks if isinstance(each, Fidelity)), None)
        measured = fidelity is not None and fidelity.history and fidelity.history[-1][0] == kimg
        return dict([fidelity.score]) if measured and fidelity.score else {}

    def state_dict(self) -> dict[str, Any]:
        """It holds gradients between two turns that are compared alone, which few checkpoints are from."""
        return {name: getattr(self, name) for name in ("rows", "tick", "steps", "before", "gradients")}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows, self.tick = [*state_dict["rows"]], state_dict["tick"]
        self.steps, self.before = dict(state_dict["steps"]), dict(state_dict["before"])
        self.gradients = dict(state_dict["gradients"])
