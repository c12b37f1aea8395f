"""How a step grows with its ranks, on paper: python scaling.py paper, or python scaling.py gloo for what is here.

A step of n items a rank takes FIXED + n * ITEM seconds of a GPU, and its messages

    2 (N - 1) / N * bytes / bandwidth + messages * latency * log2(N)

(ring or tree, after each player's turn, nothing of it beside the backward). `paper` prints that for GPUs whose numbers
others have published, `gloo` measures small and large messages of 2 and 4 processes here and predicts those between.
"""

from __future__ import annotations

import math
import sys
import time

import torch
from torch import distributed, multiprocessing

PUBLISHED = {1: 49.81, 2: 25.05, 4: 13.26, 8: 7.32}
"""Seconds a kimg of StyleGAN3-T at 256x256 on so many A100, 32 items in all: NVlabs/stylegan3, docs/configs.md."""

BATCH = 32
BYTES = 4 * (24_767_458 + 24_001_089)
"""Of a step: the gradients of both players in float32, StyleGAN2 at 256x256. What else is told is below a kilobyte."""

MESSAGES = 2
LATENCY = 5e-6  # of one hop between two GPUs, in seconds

NETWORKS = {
    "one node of 8, NVLink": 200e9,  # NVIDIA/nccl-tests issue 149: 8 A100
    "4 x HDR InfiniBand a node of 8": 84.8e9,  # NVIDIA/nccl-tests issue 119: 24 A100 in 3 nodes
    "25 Gb Ethernet a node of 8": 3.1e9 * 0.9,  # a tenth for its protocol
}
"""Bus bandwidth as nccl-tests has it, bytes a second: what a ring of all ranks gets."""


def fitted() -> tuple[float, float]:
    """FIXED and ITEM, by least squares of relative errors over the published steps."""
    rows = [(BATCH / gpus, BATCH / 1000 * seconds) for gpus, seconds in PUBLISHED.items()]
    left = torch.tensor([[1 / step, items / step] for items, step in rows], dtype=torch.float64)
    fixed, item = torch.linalg.lstsq(left, torch.ones(len(rows), 1, dtype=torch.float64)).solution.flatten().tolist()
    return fixed, item


def messages(ranks: int, size: float, bandwidth: float, latency: float = LATENCY, count: int = MESSAGES) -> float:
    """Seconds of a step in its messages."""
    if ranks == 1:
        return 0.0
    return 2 * (ranks - 1) / ranks * size / bandwidth + count * latency * math.log2(ranks)


def paper() -> None:
    fixed, item = fitted()
    print(f"a step: {1e3 * fixed:.1f} ms and {1e3 * item:.1f} ms an item; {BYTES / 1e6:.0f} MB in {MESSAGES} messages")
    for gpus, seconds in PUBLISHED.items():
        told = fixed + item * BATCH / gpus
        print(f"  {gpus} GPUs, {BATCH // gpus} items each: {1e3 * told:.0f} ms, published {BATCH * seconds:.0f}")
    print("network,GPUs,items a GPU,step ms,messages ms,share %,images/s,efficiency % of one GPU with 32")
    alone = BATCH / (fixed + item * BATCH)
    for name, bandwidth in NETWORKS.items():
        for ranks in (8,) if name.startswith("one") else (64, 512):
            for items in (32, 8, 4, 1):
                work, told = fixed + item * items, messages(ranks, BYTES, bandwidth)
                rate = ranks * items / (work + told)
                shares = f"{100 * told / (work + told):.1f},{rate:.0f},{100 * rate / ranks / alone:.0f}"
                print(f"{name},{ranks},{items},{1e3 * (work + told):.0f},{1e3 * told:.1f},{shares}")


def timed(rank: int, ranks: int, port: int, sizes: list[int], times: multiprocessing.SimpleQueue) -> None:
    store = f"tcp://127.0.0.1:{port}"
    distributed.init_process_group("gloo", init_method=store, rank=rank, world_size=ranks)
    torch.set_num_threads(1)
    for size in sizes:
        flat, found = torch.ones(size // 4), []
        for _ in range(30):
            distributed.barrier()
            began = time.perf_counter()
            distributed.all_reduce(flat)
            found.append(time.perf_counter() - began)
        if rank == 0:
            times.put(min(found))
    distributed.destroy_process_group()


def gloo() -> None:
    sizes = [2**12, 2**20, 3_729_472, 2**24]  # the third is what stylegan_lite tells
    print("processes,bytes,ms,predicted ms")
    for turn, ranks in enumerate((2, 4)):
        times = multiprocessing.get_context("spawn").SimpleQueue()
        multiprocessing.spawn(timed, (ranks, 29731 + turn, sizes, times), nprocs=ranks)
        found = [times.get() for _ in sizes]
        latency = found[0] / math.log2(ranks)
        bandwidth = 2 * (ranks - 1) / ranks * sizes[-1] / (found[-1] - found[0])
        for size, seconds in zip(sizes, found, strict=True):
            print(f"{ranks},{size},{1e3 * seconds:.2f},{1e3 * messages(ranks, size, bandwidth, latency, 1):.2f}")


if __name__ == "__main__":
    {"paper": paper, "gloo": gloo}[sys.argv[1]]()
