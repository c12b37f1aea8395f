"""What a run does when its numbers go wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, Trainer
from lightning.pytorch.trainer.call import _call_callbacks_load_state_dict

from ganlit.callbacks.checkpoint import rewind
from ganlit.compute.console import say
from ganlit.errors import Diverged, within
from ganlit.records import durable
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.clocked import PLAYERS


class Recovery(Callback):
    """Tells of every step that was skipped, goes back when they do not end, and gives up when going back is no help.

    Args:
        patience: skipped steps in a row after which the run goes back to its last checkpoint, on another branch of the
            random stream.
        attempts: times it goes back to one and the same checkpoint before it stops.
    """

    def __init__(self, patience: int = 10, attempts: int = 3) -> None:
        for key, value in {"patience": patience, "attempts": attempts}.items():
            within(f"recovery.{key}", value, least=1)
        self.patience = patience
        self.attempts = attempts
        self.causes: list[str] = []  # what was not finite since a step was last taken
        self.place: int | None = None  # images seen where the run last went back to
        self.attempt = 0  # how often it has gone there

    def on_train_batch_start(self, trainer: Trainer, pl_module: AdversarialModule, *_: Any) -> None:
        if pl_module.skips_in_a_row >= self.patience:
            self._go_back(trainer, pl_module)
        self.told = dict(pl_module.skipped)

    def on_train_batch_end(self, trainer: Trainer, pl_module: AdversarialModule, *_: Any) -> None:
        new = {name: count for name, count in pl_module.skipped.items() if count > self.told.get(name, 0)}
        for name, count in new.items():
            first, last = pl_module.images_seen - pl_module.images, pl_module.images_seen - 1
            say(f"skipped  {name} not finite on images {first} to {last}, step not taken; {count} so far")
        self.causes = list(dict.fromkeys([*self.causes, *new])) if pl_module.skips_in_a_row else []

    def _go_back(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        trouble = f"{', '.join(self.causes)} not finite for {self.patience} steps in a row at {pl_module.kimg:.1f} kimg"
        path = untroubled(Path(trainer.default_root_dir) / "checkpoints")
        if path is None:
            advice = remedy(self.causes, trainer.precision)
            raise Diverged(f"{trouble}, and there is no checkpoint from before to go back to: {advice}.")
        checkpoint = trainer.strategy.load_checkpoint(path, weights_only=True)
        place = checkpoint["images_seen"]
        attempt = self.attempt + 1 if place == self.place else 1
        if attempt > self.attempts:
            advice = remedy(self.causes, trainer.precision)
            raise Diverged(f"{trouble}, though the run went back {self.attempts} times to {path}: {advice}.")

        restore(trainer, pl_module, checkpoint)
        self.causes, self.place, self.attempt = [], place, attempt
        say(f"{trouble}; going back to {pl_module.kimg:.1f} kimg, attempt {attempt} of {self.attempts}")

    @property
    def outlasting(self) -> dict[str, Any]:
        return {"place": self.place, "attempt": self.attempt}

    def state_dict(self) -> dict[str, Any]:
        return {"causes": self.causes, "place": self.place, "attempt": self.attempt}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.causes, self.place = list(state_dict["causes"]), state_dict["place"]
        self.attempt = state_dict["attempt"]


def restore(trainer: Trainer, module: AdversarialModule, checkpoint: dict[str, Any]) -> None:
    """Has a run go on from a checkpoint of its own, on the next branch of the random stream.

    To be called ahead of a step, which is then not taken: the tick ends, and the next one begins at the clock.
    """
    skipped, branch = module.skipped, module.branch + 1
    trainer.strategy.load_model_state_dict(checkpoint)
    trainer.strategy.load_optimizer_state_dict(checkpoint)
    _call_callbacks_load_state_dict(trainer, checkpoint)  # scores of what is undone are undone, too
    module.on_load_checkpoint(checkpoint)
    module.apply_hyperparameters()
    module.skipped, module.branch, module.streak = skipped, branch, dict.fromkeys(PLAYERS, 0)
    module.rolled_back = True
    batch = module.images if trainer.datamodule is None else trainer.datamodule.batch
    trainer.fit_loop.epoch_loop._batches_that_stepped = module.images_seen // batch
    rewind(trainer, module.kimg)


def best_checkpoint(trainer: Trainer) -> Path:
    """Where the best checkpoint of a run is, if it has one."""
    return Path(trainer.default_root_dir) / "checkpoints" / "best.ckpt"


def has_best(trainer: Trainer) -> bool:
    """Whether it has one, as the first rank sees it: all ranks ask, and files may come to some of them later."""
    return trainer.strategy.broadcast(best_checkpoint(trainer).exists())


def return_to_best(trainer: Trainer, module: AdversarialModule) -> None:
    """Has a run go on from its best checkpoint. Called as `restore` is.

    What reactions have changed since stays so, and callbacks keep what they call `outlasting` of their state: what
    people were told, and how often the run went back, which has its limits.
    """
    adjusted = module.adjusted
    kept = [(each, each.outlasting) for each in trainer.callbacks if hasattr(each, "outlasting")]
    restore(trainer, module, trainer.strategy.load_checkpoint(best_checkpoint(trainer), weights_only=True))
    for callback, own in kept:
        callback.load_state_dict({**callback.state_dict(), **own})
    module.adjust(adjusted)


def untroubled(folder: Path) -> Path | None:
    """The latest whole checkpoint that was not written among skipped steps; such weights may give nothing finite."""
    for path in (folder / durable.LAST, folder / durable.PREVIOUS):
        if (wrong := durable.damage(path)) is not None:
            if path.exists():
                say(f"{path} {wrong}: it is passed over")
        elif not any(durable.load(path).get("streak", {}).values()):
            return path
    return None


def remedy(causes: list[str], precision: str) -> str:
    """What a user can do about terms of these players that are not finite."""
    players = [player for player in PLAYERS if any(cause.startswith(f"{player}/") for cause in causes)]
    rates = " and ".join(f"model.init_args.{player}_optimizer.init_args.lr" for player in players)
    wider = ", or set trainer.precision to 32-true" if precision == "bf16-mixed" else ""
    return f"lower {rates}, give the discriminator a regularizer such as R1 or a larger weight of it{wider}"
