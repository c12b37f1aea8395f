"""What measures say of real moving digits, spoilt ones and runs' own: python controls.py FRAMES COUNT METRICS [RUNS].

METRICS are joined by commas, of motion, steady, ftd and fid, such as ftd@transition:efficientnet-lite0. Real ones are
others than those they are measured against; of these all are frozen at their first frame, shuffled in time, or played
backwards. Prints a line of CSV for each.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import torch
from torch import Tensor

from ganlit.configuration.rebuild import load
from ganlit.contracts import Reference
from ganlit.data.video.digits import MovingDigits
from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.measure import METRICS, measure
from ganlit.metrics.portrait import Collector
from ganlit.metrics.question import Question
from ganlit.metrics.reality import Reality
from ganlit.metrics.video import backbones
from ganlit.tasks.step import stateless_seed

TOGETHER = 50


def main(frames: int, count: int, asked: list[str], runs: list[str]) -> None:
    data = MovingDigits(frames, measured=count, clips=count)
    data.prepare_data()
    data.setup("fit")
    seen = {name: backbones.network(extractor_of(name)) for name in asked}
    real = {}
    for name, network in seen.items():
        network.learn(data.reference, data.modality.for_extractor)
        real[name] = Reality(data.reference, network, view=data.modality.for_extractor)
        real[name].prepare()
    told = False
    for called, clips in [*controls(data.trained_of("item")), *((run, made(run, frames, data)) for run in runs)]:
        found = {name: value for each in asked for name, value in numbers(each, clips, seen[each], real[each])}
        if not told:
            print(",".join(["clips", *found]), flush=True)
        told = True
        print(",".join([called, *(f"{value:.3f}" for value in found.values())]), flush=True)


def extractor_of(asked: str) -> str:
    name, _, extractor = asked.partition("@")
    return extractor or METRICS[name].extractor or "frame"


def controls(reference: Reference) -> Iterator[tuple[str, Tensor]]:
    real = reference.items[torch.arange(len(reference.items))]
    order = torch.rand(len(real), real.shape[2], generator=torch.Generator().manual_seed(0)).argsort(dim=1)
    yield "real", real
    yield "frozen", real[:, :, :1].expand_as(real).contiguous()
    yield "shuffled", torch.stack([clip[:, places] for clip, places in zip(real, order, strict=True)])
    yield "reversed", real.flip(2)


@torch.no_grad()
def made(run: str, frames: int, data: MovingDigits) -> Tensor:
    """What a run's average makes, as many of each class as are real."""
    folder, _, psi = run.partition("@")
    module, found, options = load(folder, "last").eval(), [], {"frames": frames, "truncation": float(psi or 1)}
    torch.manual_seed(stateless_seed(0))
    for labels in data.reference.labels.split(TOGETHER):
        found.append(data.modality.to_stored(module.averaged(module.latents(labels), labels, **options)))
    return torch.cat(found)


def numbers(asked: str, clips: Tensor, network: FeatureExtractor, real: Reality) -> Iterator[tuple[str, float]]:
    name = asked.partition("@")[0]
    collector = Collector(network, len(clips), METRICS[name].rows)
    for places in torch.arange(len(clips)).split(network.batch):
        collector.add(real.view(clips[places]), places)
    for each in measure([name], Question(collector.finish(), real, "ema")):
        yield each.metric, each.value


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].split(","), sys.argv[4:])
