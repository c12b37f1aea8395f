"""How fast are FID, KID, Inception Score, precision and recall of one folder of images against another?

Four contenders take turns, each in a process of its own: ganlit with nothing cached, ganlit with the real side cached,
torch-fidelity's command, and torchmetrics' three classes side by side (which have no precision and recall). All see the
same weights and the same resize, so that the numbers they find can be compared too. Where the release of the weights
cannot be had, the trunk of the extra "offline" stands in with a random head: it costs as much, and its Inception Score
means nothing.

    python experiments/0003-metrics-that-can-be-compared/speed.py FAKE REAL [--repeats 3]

Writes `speed.csv` beside this file and prints medians of the paired ratios. OMP_NUM_THREADS is obeyed.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from typing import Any

import torch
from torch import Tensor

RESULTS = Path(__file__).with_name("speed.csv")
OURS, OTHERS = ("ganlit", "ganlit, real side cached"), ("torch-fidelity", "torchmetrics")
NEIGHBOURS = 5  # ganlit's and prdc's; torch-fidelity's default is 3
SUBSET = 1000  # images of a subset of KID, the default of all
GANLIT = """
import sys
from ganlit.metrics.images import weights
weights.RELEASE_SHA256 = sys.argv.pop(1)  # the stand-in for the release is to be taken for it
from ganlit.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
FIDELITY = {
    "inception_score_mean": "is",
    "frechet_inception_distance": "fid",
    "kernel_inception_distance_mean": "kid",
    "precision": "precision",
    "recall": "recall",
}
Row = dict[str, Any]


def by_ganlit(fake: Path, real: Path, file: Path, output: Path) -> list[str]:
    """`python -m ganlit evaluate` as anyone would call it."""
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    question = ["evaluate", str(fake), "--against", str(real), "--metrics", "fid,kid,is,prdc"]
    return [sys.executable, "-c", GANLIT, digest, *question, "--weights_file", str(file), "--json", str(output)]


def by_torch_fidelity(fake: Path, real: Path, file: Path, _: Path) -> list[str]:
    """`fidelity`, which prints its numbers; by default precision and recall are a pass more, through a VGG."""
    metrics = ["--isc", "--fid", "--kid", "--prc", "--kid-subset-size", str(subset(fake, real))]
    metrics += ["--prc-neighborhood", str(NEIGHBOURS), "--cpu", "--json"]
    network = ["--feature-extractor", "inception-v3-compat", "--feature-extractor-weights-path", str(file)]
    command = [sys.executable, "-c", "from torch_fidelity.fidelity import main; main()"]
    return [*command, "--input1", str(fake), "--input2", str(real), *metrics, *network]


def by_torchmetrics(fake: Path, real: Path, file: Path, output: Path) -> list[str]:
    """This script, which then calls `torchmetrics`."""
    return [sys.executable, __file__, str(fake), str(real), "--weights", str(file), "--output", str(output)]


def torchmetrics(fake: Path, real: Path, file: Path) -> Row:
    """Each class with an extractor of its own, as it makes one by default, but with TensorFlow's resize in all."""
    from torchmetrics.image import FrechetInceptionDistance, InceptionScore, KernelInceptionDistance
    from torchmetrics.image.fid import NoTrainInceptionV3

    def extractor(layer: str) -> NoTrainInceptionV3:
        return NoTrainInceptionV3("inception-v3-compat", [layer], str(file), antialias=False)

    fid = FrechetInceptionDistance(feature=extractor("2048"))
    kid = KernelInceptionDistance(feature=extractor("2048"), subset_size=subset(fake, real))
    score = InceptionScore(feature=extractor("logits_unbiased"))
    for folder, is_real in ((real, True), (fake, False)):
        for images in batches(folder):
            fid.update(images, real=is_real)
            kid.update(images, real=is_real)
            if not is_real:
                score.update(images)
    return {"is": score.compute()[0].item(), "fid": fid.compute().item(), "kid": kid.compute()[0].item()}


def batches(folder: Path, size: int = 64) -> Iterator[Tensor]:
    from torchvision.io import ImageReadMode, decode_image

    files = sorted(folder.iterdir())
    for start in range(0, len(files), size):
        yield torch.stack([decode_image(str(file), ImageReadMode.RGB) for file in files[start : start + size]])


def subset(*folders: Path) -> int:
    return min(SUBSET, *(len(list(folder.iterdir())) for folder in folders))


def stand_in(path: Path) -> None:
    """The release, or what costs as much: its trunk from the carrier and a random head."""
    from torch_fidelity.feature_extractor_inceptionv3 import BasicConv2d

    from ganlit.metrics.images.inception import inception_trunk
    from ganlit.metrics.images.weights import find_weights, read_weights

    found = find_weights()
    convolutions = [name for name, module in inception_trunk().named_modules() if isinstance(module, BasicConv2d)]
    state = read_weights(found, convolutions)
    if not found.complete:
        generator = torch.Generator().manual_seed(0)
        state |= {f"{name}.bn.num_batches_tracked": torch.tensor(0) for name in convolutions}
        state |= {"fc.weight": torch.randn(1008, 2048, generator=generator) / 4, "fc.bias": torch.zeros(1008)}
    torch.save(state, path)


def numbers(answer: str) -> Row:
    """A contender's JSON, under the same names for all."""
    found = json.loads(answer[answer.index("{") :])  # torch-fidelity remarks on a negative KID first
    if "frechet_inception_distance" in found:
        return {name: found[long] for long, name in FIDELITY.items()}
    return {
        name: next(iter(value.values()))["value"] if isinstance(value, dict) else value for name, value in found.items()
    }


def timed(contender: str, fake: Path, real: Path, file: Path, cache: Path) -> Row:
    """A contender from the start of its process to the end: seconds of the clock and of the CPU, and its numbers."""
    builders = {"torch-fidelity": by_torch_fidelity, "torchmetrics": by_torchmetrics}
    output = file.with_name("output.json")
    output.unlink(missing_ok=True)
    command = builders.get(contender, by_ganlit)(fake, real, file, output)
    before, start = getrusage(RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, env=os.environ | {"GANLIT_CACHE": str(cache)}, capture_output=True, text=True)
    wall, after = time.perf_counter() - start, getrusage(RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{contender} has failed:\n{done.stderr}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    answer = output.read_text() if output.exists() else done.stdout
    return {"contender": contender, "wall_s": round(wall, 2), "cpu_s": round(cpu, 2), **numbers(answer)}


def compete(fake: Path, real: Path, repeats: int) -> list[Row]:
    """All in turn, in the opposite order each time, save that ganlit's first run fills the cache of its second."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        file, cache = Path(folder, "weights.pth"), Path(folder, "cache")
        stand_in(file)
        for repeat in range(repeats):
            shutil.rmtree(cache, ignore_errors=True)
            for contender in (*OURS, *OTHERS) if repeat % 2 else (*OTHERS[::-1], *OURS):
                rows.append({"repeat": repeat, **timed(contender, fake, real, file, cache)})
                print(rows[-1], flush=True)
    return rows


def ratios(rows: list[Row], clock: str) -> Iterator[str]:
    """How many times as long the others take as ganlit: median of the pairs, least and greatest."""
    seconds = {name: [row[clock] for row in rows if row["contender"] == name] for name in (*OURS, *OTHERS)}
    for other in OTHERS:
        for own in OURS:
            pairs = [a / b for a, b in zip(seconds[other], seconds[own], strict=True)]
            yield f"{other} / {own}, {clock}: {median(pairs):.2f} ({min(pairs):.2f} to {max(pairs):.2f})"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fake", type=Path)
    parser.add_argument("real", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--weights", type=Path, help=argparse.SUPPRESS)  # how the script calls itself
    parser.add_argument("--output", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.output is not None:
        given.output.write_text(json.dumps(torchmetrics(given.fake, given.real, given.weights)))
    else:
        results = compete(given.fake, given.real, given.repeats)
        with RESULTS.open("w", newline="") as table:
            writer = csv.DictWriter(table, max(results, key=len))
            writer.writeheader()
            writer.writerows(results)
        print(*ratios(results, "wall_s"), *ratios(results, "cpu_s"), sep="\n")
