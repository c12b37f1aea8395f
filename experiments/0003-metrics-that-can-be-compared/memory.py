"""How much memory the metrics of N images take: each in a process of its own, peak above that before the first image.

    python memory.py

The extractor is a random projection to 2,048 features, so that the images take no time and what is left is ours.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
import tempfile
import time

import torch
from torch import Tensor, nn

from ganlit.contracts import Reference
from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.measure import METRICS, Question, measure
from ganlit.metrics.portrait import Collector
from ganlit.metrics.reality import Reality

REAL = 5_000
ASKED = (
    (["fid", "is"], (5_000, 50_000, 200_000)),
    (["fid", "is", "kid"], (5_000, 50_000)),
    (["fid", "is", "prdc"], (5_000, 20_000)),  # takes its time
)
BATCH = 500


class Projection(FeatureExtractor):
    name = "projection"
    dim = 2048
    protocol = "projection@0/none"
    batch = BATCH
    classes = 10

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.weight = nn.Parameter(torch.randn(192, self.dim, generator=generator) / 192**0.5)

    def encode(self, images: Tensor) -> dict[str, Tensor]:
        pool = ((images.flatten(1) / 127.5 - 1) @ self.weight).relu()
        return {"pool": pool, "logits": pool[:, :10]}


def drawn(count: int, seed: int) -> Tensor:
    return torch.randint(0, 256, (count, 3, 8, 8), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


def measured(metrics: list[str], count: int, answer: multiprocessing.Queue) -> None:
    extractor = Projection()
    real = Reality(
        Reference("noise", "0" * 32, drawn(REAL, 0), torch.zeros(REAL, dtype=torch.int64), ()), extractor, str
    )
    real.prepare()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    collector = Collector(extractor, count, rows=any(METRICS[metric].rows for metric in metrics))
    for start in range(0, count, BATCH):
        collector.add(drawn(BATCH, start), torch.arange(start, start + BATCH))
    seen = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    measure(metrics, Question(collector.finish(), real, "images"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer.put(((seen - before) / 1024, (peak - before) / 1024, time.monotonic() - started))


def main() -> None:
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as cache:
        os.environ["GANLIT_CACHE"] = cache
        os.environ["MALLOC_MMAP_THRESHOLD_"] = "65536"  # else glibc keeps what was freed, now more and now less
        print("metrics,images,collected_mb,peak_mb,seconds_measuring")
        for metrics, counts in ASKED:
            for count in counts:
                answer = spawn.Queue()
                process = spawn.Process(target=measured, args=(metrics, count, answer))
                process.start()
                process.join()
                collected, peak, seconds = answer.get()
                print(f"{'+'.join(metrics)},{count},{collected:.0f},{peak:.0f},{seconds:.0f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
