"""Is it digits or their ways that a run lacks? python swapped.py COUNT RUNS: each with real ones of the other.

Prints a line of CSV for each run: percent of clips that are steady as they are, of its digits along real ways, of real
digits along its ways, of real digits along real ways; and of its clips in which most frames show the class asked for.
"""

from __future__ import annotations

import sys

import torch
from controls import made
from torch import Tensor

from ganlit.data.video.digits import MovingDigits
from ganlit.metrics.video.sets import MOST
from ganlit.metrics.video.trajectory import centres
from ganlit.metrics.video.votes import Votes
from ganlit.networks.video.stylegan import moved

FRAMES = 16


def main(count: int, runs: list[str]) -> None:
    data, votes = MovingDigits(FRAMES, measured=count, clips=count), Votes()
    data.prepare_data()
    data.setup("fit")
    votes.learn(data.reference, data.modality.for_extractor)
    real = data.reference.items[torch.arange(count)]

    def steady(clips: Tensor) -> float:
        return 100 * float((seen(votes, clips).amax(dim=1) >= MOST - 1e-6).double().mean())

    print("run,own,its digits,its ways,real,class")
    for run in runs:
        clips = made(run, FRAMES, data)
        asked = 100 * float((seen(votes, clips).argmax(dim=1) == data.reference.labels).double().mean())
        pairs = [(clips, real), (real, clips), (real, real)]
        shares = [steady(clips), *(steady(along(*pair)) for pair in pairs)]
        print(",".join([run, *(f"{share:.1f}" for share in (*shares, asked))]), flush=True)


def seen(votes: Votes, clips: Tensor) -> Tensor:
    return torch.cat([votes.encode(part)["pool"] for part in clips.split(votes.batch)])


def along(digits: Tensor, ways: Tensor) -> Tensor:
    """What each of some clips shows where it is nearest to the middle, moved as another clip's centre of mass."""
    (here, _), (there, _) = centres(digits), centres(ways)
    nearest, rows = (here - 0.5).abs().amax(dim=2).argmin(dim=1), torch.arange(len(digits))
    shift = there - here[rows, nearest][:, None]
    return moved(digits[rows, :, nearest].float(), shift.float()).round().to(torch.uint8)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
