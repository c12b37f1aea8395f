"""Are they digits, all ten, and each in many shapes? A classifier trained on the real digits says of a run's samples

- the share that it recognises with a confidence of 0.9 or more, and how many are the class that was asked for;
- the share of the rarest class;
- the diversity: mean pairwise pixel distance within a recognised class, over that of the real digits in the class.

    python experiments/0001-stylegan-lite-on-two-cores/judge.py runs/stylegan_lite
"""

from __future__ import annotations

import torch
from jsonargparse import auto_cli
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad

import ganlit
from ganlit.data.images.images import Images
from ganlit.tasks.step import stateless_seed

CLASSES = 10
HELD_OUT = 1000


def classifier() -> nn.Sequential:
    """Two blocks of two convolutions each and a hidden layer: 0.6 M parameters."""
    layers: list[nn.Module] = []
    for inputs, outputs in ((1, 32), (32, 64)):
        for maps in (inputs, outputs):
            layers += [nn.Conv2d(maps, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]
        layers.append(nn.MaxPool2d(2))
    head = [nn.Linear(64 * 8 * 8, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, CLASSES)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3), *head)


def shifted(images: Tensor, reach: int = 2) -> Tensor:
    """Each image moved by up to `reach` pixels on its black ground."""
    size = images.shape[-1]
    framed = pad(images, (reach,) * 4, value=-1.0)
    places = torch.randint(0, 2 * reach + 1, (len(images), 2)).tolist()
    return torch.stack([frame[:, y : y + size, x : x + size] for frame, (y, x) in zip(framed, places, strict=True)])


def train(images: Tensor, labels: Tensor, epochs: int = 12, batch: int = 64) -> nn.Sequential:
    """The judge, trained on all but `HELD_OUT` images, and what it makes of those."""
    torch.manual_seed(1)
    order = torch.randperm(len(images))
    held_out, rest = order[:HELD_OUT], order[HELD_OUT:]
    judge = classifier()
    optimizer = torch.optim.AdamW(judge.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 0.004, epochs=epochs, steps_per_epoch=-(-len(rest) // batch)
    )
    for _ in range(epochs):
        for chosen in rest[torch.randperm(len(rest))].split(batch):
            optimizer.zero_grad()
            cross_entropy(judge(shifted(images[chosen])), labels[chosen]).backward()
            optimizer.step()
            schedule.step()
    judge.eval()
    confidence, recognised = verdicts(judge, images[held_out])
    right = (recognised == labels[held_out]).float().mean()
    print(f"judge: {right:.1%} of {HELD_OUT} held-out digits right, {confident(confidence):.1%} of them at 0.9 or more")
    return judge


@torch.no_grad()
def verdicts(judge: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    """Confidence and class of each image."""
    best = torch.cat([judge(some).softmax(1) for some in images.split(250)]).max(1)
    return best.values, best.indices


def confident(confidence: Tensor) -> float:
    return float((confidence >= 0.9).float().mean())


def spread(images: Tensor, recognised: Tensor) -> Tensor:
    """Mean pairwise pixel distance within each class [CLASSES]; nan where a class has fewer than two."""
    return torch.stack([torch.pdist(images[recognised == label].flatten(1)).mean() for label in range(CLASSES)])


@torch.no_grad()
def sampled(run: str, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Images of the EMA generator and the classes they were asked for, in turn."""
    module = ganlit.load(run)
    labels = torch.arange(count) % CLASSES
    torch.manual_seed(stateless_seed(seed))
    some = [module.ema(module.latents(part), part).clamp(-1, 1) for part in labels.split(100)]
    return torch.cat(some), labels


def main(run: str, count: int = 1000, seed: int = 1) -> None:
    """Judges a run on the digits.

    Args:
        run: the run directory.
        count: number of samples.
        seed: of their latents.
    """
    data = Images("digits", resolution=32, channels=1, fit="pad")
    data.prepare_data()
    real, labels = data.reference.items.float() / 127.5 - 1, data.reference.labels
    judge = train(real, labels)
    images, asked = sampled(run, count, seed)
    images = ((images + 1) * 127.5).round() / 127.5 - 1
    confidence, recognised = verdicts(judge, images)
    shares = torch.bincount(recognised, minlength=CLASSES) / count
    ratio = spread(images, recognised) / spread(real, labels)
    print(f"recognised at 0.9 or more: {confident(confidence):.1%} of {count}")
    print(f"the class asked for: {(recognised == asked).float().mean():.1%}")
    print(f"share of each class: {' '.join(f'{share:.1%}' for share in shares)}; rarest {shares.min():.1%}")
    print(f"diversity of each class: {' '.join(f'{value:.2f}' for value in ratio)}; mean {ratio.mean():.3f}")


if __name__ == "__main__":
    auto_cli(main, as_positional=True)
