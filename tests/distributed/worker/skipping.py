"""What becomes of steps whose numbers are not finite on one rank only."""

from __future__ import annotations

from typing import Any

import torch
from agreement import Drawing, convolutional_game, held, style_game
from games import RANK, WORLD, Shards, train
from torch import Tensor

from ganlit.tasks.synthesis import Synthesis

BAD_IMAGES, BAD_LATENTS = 1, 3  # steps: the first spoils the discriminator's turn, the second the generator's
STEPS = 6


class Spoiled(Drawing):
    """Meets NaN in the images of the last rank, and later in the latents of the first."""

    def on_train_start(self) -> None:
        super().on_train_start()
        self.states: list[dict[str, Tensor]] = []  # after each step
        self.turns: list[tuple[bool, bool]] = []  # taken or not, by the discriminator and the generator
        self.stood: list[bool] = []  # for every turn, whether it left all buffers as they were

    def training_step(self, batch: Any, batch_idx: int) -> None:
        if batch_idx == BAD_IMAGES and RANK == WORLD - 1:
            batch = batch._replace(item=batch.item.clone().index_fill_(0, torch.tensor([0]), torch.nan))
        self.turn = []
        super().training_step(batch, batch_idx)
        self.turns.append(tuple(self.turn))
        self.states.append(held(self, self.trainer))

    def play(self, player: str, batch: Any) -> bool:
        self.player = player
        before = [buffer.clone() for buffer in self.memory]
        taken = super().play(player, batch)
        self.turn.append(taken)
        self.stood.append(all(map(torch.equal, before, self.memory)))
        return taken

    def latents(self, label: Tensor) -> Tensor:
        drawn = super().latents(label)
        spoiled = self.player == "generator" and self.images_seen == BAD_LATENTS * self.images and RANK == 0
        return drawn * torch.nan if spoiled else drawn


def found() -> dict[str, Any]:
    games: dict[str, Synthesis] = {"style": style_game(), "convolutional": convolutional_game()}
    for module in games.values():
        module.__class__ = Spoiled
        train(module, Shards(STEPS, (1, 16, 16), 12, torch.float32))
    return {
        name: {"turns": module.turns, "states": module.states, "stood": module.stood, "skipped": module.skipped}
        for name, module in games.items()
    }
