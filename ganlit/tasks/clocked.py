"""What a run knows of how far it is: one clock, in images, from which all else follows."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any, Literal

import torch
from lightning.pytorch import LightningModule

from ganlit.compute.precision import PRECISIONS
from ganlit.contracts import Terms
from ganlit.errors import UserError
from ganlit.tasks.step import remembered

GRACE = 10
"""Seconds that other ranks leave the first to speak for all."""

Player = Literal["discriminator", "generator"]
Outcome = Literal["done", "stopped early"]
PLAYERS: tuple[Player, Player] = ("discriminator", "generator")


class ClockedModule(LightningModule):
    """A module of two players whose checkpoints hold no other progress than `images_seen`.

    Lightning's loops, epochs and steps are not restored: a resumed run is a new one whose clock does not begin at zero.
    Data, random numbers, schedules, lazy regularization, ticks and the budget are functions of the clock, which makes
    the end bitwise the same wherever a run was interrupted.
    """

    accumulate: int
    takes_data = False
    """Whether items are made of others, and not of noise."""

    def __init__(self) -> None:
        super().__init__()
        self.images_seen = 0  # real images that the discriminator has seen, over all ranks
        self.populated: list[int] = []  # the classes of which there were items
        self.branch = 0  # of the random stream; going back takes the next
        self.skipped: dict[str, int] = {}  # turns without a step, by what was not finite
        self.streak: dict[Player, int] = dict.fromkeys(PLAYERS, 0)  # of them those in a row
        self.adjusted: dict[str, float] = {}  # what reactions to alarms have changed, see `adjust`
        self.latest: Terms = {}  # the latest value of every term: lazy ones have none at most steps

        self.resumed_from: int | None = None  # the number of processes that wrote the checkpoint
        self.rolled_back = False  # the batches of this tick no longer follow the clock
        self.stop_requested = False  # on this rank
        self.stop_agreed = False  # by all ranks, at the same step
        self.ended: str | None = None  # why the run ends before its length, if somebody has ended it
        self.outcome: Outcome = "done"  # as what it ends
        self.stopwatch: Callable[[str], Any] = nullcontext  # a Stopwatch while `Profile` times the run

    @property
    def kimg(self) -> float:
        """Thousands of real images seen."""
        return self.images_seen / 1000

    @property
    def skips_in_a_row(self) -> int:
        """Turns in a row that the unhappier player could not take."""
        return max(self.streak.values())

    def end(self, reason: str, outcome: Outcome = "done") -> None:
        """Ends the run after this validation as if its length had been reached; to be called on all ranks alike.

        Args:
            reason: in words, for its record; of several reasons the first counts, and none at its length.
            outcome: as what it ends; one that is stopped early has lost to others, and is not tested.
        """
        if not self.trainer.should_stop:
            self.ended, self.outcome = reason, outcome
        self.trainer.should_stop = True

    def log(self, name: str, value: Any, *args: Any, **kwargs: Any) -> None:
        """Numbers of the host stay there: Lightning would send each to the device, and wait for it."""
        if isinstance(value, int | float) and not kwargs.get("sync_dist"):
            value = torch.tensor(float(value))
        super().log(name, value, *args, **kwargs)

    def setup(self, stage: str) -> None:
        """Refuses a precision under which small gradients vanish.

        Raises:
            UserError: it is none of `PRECISIONS`; fp16 would need a loss scale for each player. Networks and data in
                float64, with which the mathematics is tested, are let pass.
        """
        if stage == "fit":  # a checkpoint is restored into the module after this
            self.adjusted = {}
        if self.trainer.precision not in (*PRECISIONS, "64-true"):
            raise UserError(
                f"trainer.precision is {self.trainer.precision}: two players are trained in 32-true or bf16-mixed."
            )

    def on_fit_start(self) -> None:
        """Refuses a batch that cannot be shared, and continues the count of steps by which loggers log.

        Raises:
            UserError: ranks and micro-batches do not divide the batch.
        """
        world = self.trainer.world_size
        if self.resumed_from not in (None, world):
            self.print(
                f"Trained by {self.resumed_from} processes, resumed by {world}: the order of the data is kept, latents "
                "differ, so the result is no longer bitwise that of a run that was never stopped."
            )
        if self.trainer.datamodule is None:  # bare loaders, as plain Python may give them, do not tell what they hold
            return
        batch = self.trainer.datamodule.batch
        try:
            self.share(batch, world)
            self.check_data(self.trainer.datamodule)
        except UserError:
            if self.global_rank:  # the first rank says the same, and ends this one
                time.sleep(GRACE)
            raise
        self.trainer.fit_loop.epoch_loop._batches_that_stepped = self.images_seen // batch

    def share(self, batch: int, world: int) -> int:
        """The items of a micro-batch.

        Raises:
            UserError: ranks and micro-batches do not divide the batch.
        """
        shares = world * self.accumulate
        if batch % shares:
            raise UserError(
                f"data.init_args.batch is {batch}, which {world} ranks with "
                f"model.init_args.accumulate {self.accumulate} cannot share evenly: set it to a multiple of {shares}."
            )
        return batch // shares

    def check_data(self, data: Any) -> None:
        """Refuses, with a UserError, data that the networks were not built for; a task knows what to look at."""

    def check_length(self, kimg: float) -> None:
        """Refuses, with a UserError, a run too short for what is to happen in it; a task knows what that is."""

    def on_train_start(self) -> None:
        self.ended, self.outcome = None, "done"
        self.memory = remembered(self)
        self.apply_hyperparameters()

    def apply_hyperparameters(self) -> None:
        """Takes learning rates and the like from the configuration: a checkpoint restores what optimizers remember."""
        for player, optimizer, groups in zip(PLAYERS, self.trainer.optimizers, self.hyperparameters, strict=True):
            for group, configured in zip(optimizer.param_groups, groups, strict=True):
                group.update(configured)
                group["lr"] *= self.adjusted.get(f"{player}/lr", 1.0)

    def adjust(self, values: Mapping[str, float]) -> None:
        """Changes settings while a run lasts; its checkpoints keep that. To be called on all ranks alike.

        Args:
            values: by name factors of what is configured, `generator/lr`, `R1/weight`, and `augment/p`, the least.
        """
        self.adjusted = self.adjusted | values
        self.apply_hyperparameters()

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> int | None:
        """Ends the tick after the run went back: the next one begins at the clock."""
        leave, self.rolled_back = self.rolled_back, False
        return -1 if leave else None

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Logs what is known; callbacks, which were asked before, may have ended the run by now."""
        if self.row_due:
            skipped = {f"skipped/{name}": float(count) for name, count in self.skipped.items()}
            self.log_dict({"kimg": self.kimg, **self.latest, **skipped})

    @property
    def row_due(self) -> bool:
        """Whether loggers write a row at this step, or a tick ends with it.

        A value costs a part of a millisecond wherever it is logged, and few steps are a row.
        """
        return self.trainer._logger_connector.should_update_logs or self.trainer.is_last_batch

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        for key in ("loops", "epoch", "global_step"):
            del checkpoint[key]
        for key in ("images_seen", "populated", "branch", "skipped", "streak", "adjusted", "latest"):
            checkpoint[key] = getattr(self, key)
        checkpoint["world_size"] = self.trainer.world_size

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint.pop("loops", None)
        seen = checkpoint.get("images_seen")
        if isinstance(seen, bool) or not isinstance(seen, int) or seen < 0:
            raise UserError(f"the checkpoint says images_seen: {seen!r}, so it is no state of a run: take another one.")
        trained = self._trainer is not None and self.trainer.state.fn == "fit"
        if trained and len(checkpoint.get("optimizer_states") or []) != len(PLAYERS):
            raise UserError("the checkpoint has not what both optimizers remember: go on from another one.")
        kinds = {"populated": list, "branch": int, **dict.fromkeys(("skipped", "streak", "adjusted", "latest"), dict)}
        for key, kind in kinds.items():
            if not isinstance(checkpoint.get(key, kind()), kind):
                raise UserError(f"the checkpoint says {key}: {checkpoint[key]!r}, so it is damaged: take another one.")
        self.images_seen = seen
        self.resumed_from = checkpoint.get("world_size")
        self.populated = checkpoint.get("populated", [])
        self.branch = checkpoint.get("branch", 0)
        self.skipped = dict(checkpoint.get("skipped", {}))
        self.streak = checkpoint.get("streak", self.streak)
        self.adjusted = dict(checkpoint.get("adjusted", {}))
        self.latest = checkpoint.get("latest", {})
