"""Whether the Inception could see real images faster: ways in turns with the shipped one; CPU time of one thread.

python experiments/0018-what-a-start-and-a-step-cost/extractor.py
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import relu_

from ganlit.metrics.images.inception import Inception

IMAGES, TIMES = 64, 5
WAYS = [(4, 16), (2, 16), (8, 16), (16, 16), (4, 8), (4, 32)]
"""Images together in front of the blocks and in them; the first is the shipped one."""


def features(network: Inception, images: Tensor, few: int, many: int) -> Tensor:
    parts = images.split(many)
    stems = (torch.cat([network.stem(network.prepare(some)) for some in part.split(few)]) for part in parts)
    return torch.cat([network.blocks(stem).float().mean((2, 3)) for stem in stems])


def spent(way: Callable[[], Tensor]) -> tuple[float, Tensor]:
    began = time.thread_time()
    found = way()
    return 1000 * (time.thread_time() - began), found


def batches(network: Inception, images: Tensor) -> None:
    ways = {f"{few} and {many}": lambda few=few, many=many: features(network, images, few, many) for few, many in WAYS}
    ways["the first, in inference mode"] = torch.inference_mode()(ways["4 and 16"])
    rounds = [{name: spent(way) for name, way in ways.items()} for _ in range(TIMES)]
    for name in ways:
        ratio = statistics.median(each["4 and 16"][0] / each[name][0] for each in rounds)
        milliseconds = statistics.median(each[name][0] for each in rounds) / IMAGES
        same = torch.equal(rounds[0][name][1], rounds[0]["4 and 16"][1])
        print(f"{name}: {milliseconds:.1f} ms an image, {ratio:.3f} times as fast, the same bits: {same}", flush=True)


def packed(network: Inception, images: Tensor) -> None:
    """Convolutions with oneDNN's own order of weights and the ReLU inside them, by what torch keeps for itself."""
    inputs: dict[nn.Conv2d, Tensor] = {}

    def note(module: nn.Conv2d, given: tuple[Tensor]) -> None:
        inputs.setdefault(module, given[0].clone())

    for each in network.modules():
        if isinstance(each, nn.Conv2d):
            each.register_forward_pre_hook(note)
    features(network, images[:16], 4, 16)
    own, others, same = 0.0, 0.0, True
    for conv, x in list(inputs.items()):
        place = conv.padding, conv.stride, conv.dilation, conv.groups
        weight = torch.ops.mkldnn._reorder_convolution_weight(conv.weight, *place, list(x.shape))
        ways = (
            lambda conv=conv, x=x: relu_(conv(x)),
            lambda conv=conv, x=x, weight=weight, place=place: torch.ops.mkldnn._convolution_pointwise(
                x, weight, conv.bias, *place, "relu", [], ""
            ),
        )
        rounds = [[spent(way) for way in ways] for _ in range(TIMES)]
        times = [statistics.median(each[number][0] for each in rounds) * 16 / len(x) for number in (0, 1)]
        own, others, same = own + times[0], others + times[1], same and torch.equal(*(found for _, found in rounds[0]))
    print(f"convolutions and ReLU: {own / 16:.1f} ms an image, packed {others / 16:.1f}, the same bits: {same}")


torch.set_num_threads(1)
with torch.no_grad():
    inception = Inception(precision="bf16")
    digits = torch.randint(0, 256, (IMAGES, 1, 32, 32), dtype=torch.uint8).expand(-1, 3, -1, -1)
    batches(inception, digits)
    packed(inception, digits)
