"""FID and the rest between CIFAR-10's test and training images, which is published as 3.15.

    python cifar.py TEST.zip TRAIN.zip FOLDER [--precision bf16] [--test 2048 --train 5120]

Reads what `ganlit` reads: zips, folders or, as CIFAR10, torchvision's dataset. Two CPU cores take an hour and more; the
features come to FOLDER in blocks, so that it can be killed and started again. Two processes of one thread each, with
--part 0/2 and --part 1/2, are faster than one of two; whoever ends last measures.
"""

from __future__ import annotations

import argparse
import os
import time
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from ganlit.contracts import Reference
from ganlit.data.images.catalogue import open_source
from ganlit.data.images.pictures import Pictures
from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.fidelity import Moments
from ganlit.metrics.images.inception import Inception
from ganlit.metrics.measure import Question, measure
from ganlit.metrics.portrait import Portrait
from ganlit.metrics.reality import Reality
from ganlit.records.cache import Entry, cached, read

BLOCK = 1024
METRICS = ["fid", "kid", "prdc"]


def extract(
    name: str, reference: Reference, count: int, extractor: FeatureExtractor, folder: Path, part: int, parts: int
) -> Tensor | None:
    """Features [count, d] of the first images; None while other parts are missing."""
    blocks = [folder / f"{name}-{reference.digest[:6]}-{start // BLOCK:03}.pt" for start in range(0, count, BLOCK)]

    def compute(index: int) -> Entry:
        started = time.monotonic()
        features = extractor.extract(reference.items[index * BLOCK : (index + 1) * BLOCK])
        print(f"{blocks[index].name}: {len(features['pool']) / (time.monotonic() - started):.1f} img/s", flush=True)
        return features

    for index in range(part, len(blocks), parts):
        cached(blocks[index], partial(compute, index))
    found = [read(path) for path in blocks]
    return None if None in found else torch.cat([features["pool"] for features in found])[:count]


def portrait(rows: Tensor) -> Portrait:
    moments = Moments(rows.shape[1])
    moments.add(rows)
    return Portrait(len(rows), moments, rows, torch.arange(len(rows)), torch.zeros(len(rows), dtype=torch.int64), None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("test")
    parser.add_argument("train")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--precision", default="fp32", choices=("fp32", "bf16"))
    parser.add_argument("--test", dest="fakes", type=int, help="the first so many images")
    parser.add_argument("--train", dest="reals", type=int, help="the first so many images")
    parser.add_argument("--part", default="0/1", help="of the blocks; K/N counts from 0")
    given = parser.parse_args()
    part = [int(number) for number in given.part.split("/")]
    os.environ["GANLIT_CACHE"] = str(given.folder / "cache")
    extractor = Inception(precision=given.precision).to("cuda" if torch.cuda.is_available() else "cpu")
    sides = []
    for name, word, count in (("test", given.test, given.fakes), ("train", given.train, given.reals)):
        split = name if word.lower() == "cifar10" else "train"
        reference = Pictures(open_source(word, split, Path("datasets"))).reference
        named = name if given.precision == "fp32" else f"{name}-{given.precision}"
        rows = extract(named, reference, count or len(reference.items), extractor, given.folder, *part)
        sides.append((reference, rows))
    (_, fake), (reference, real) = sides
    if fake is None or real is None:
        print("other parts are missing")
        return
    reality = Reality(reference._replace(name=f"{reference.name}-first{len(real)}"), extractor)
    reality.keep(portrait(real))
    for found in measure(METRICS, Question(portrait(fake), reality, "images")):
        print(f"{found.value:.5f} ± {found.spread or 0:.5f}  {found.protocol}")


if __name__ == "__main__":
    main()
