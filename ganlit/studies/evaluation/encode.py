"""Items to the latents or codes of an autoencoder, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganlit.compute.console import say
from ganlit.configuration.rebuild import setting
from ganlit.data.base import SAMPLED
from ganlit.errors import UserError
from ganlit.studies.evaluation.bars import Bars
from ganlit.studies.evaluation.inputs import Inputs, batch_of, existing
from ganlit.studies.evaluation.latents import LARGEST, About, Latents, file_of, read, write
from ganlit.studies.evaluation.outputs import beside, empty, make_room, new, outside, writing
from ganlit.studies.evaluation.subject import reachable
from ganlit.studies.evaluation.trained import Checkpoint, digest_of, finite, passing, taking_data
from ganlit.tasks.translation import Translation


def encode(
    run: str,
    source: str,
    out: str | None = None,
    checkpoint: Checkpoint = "last",
    skip_bad: bool = False,
    **options: Any,
) -> None:
    """Write the latents of items, or their codes where an autoencoder has a codebook, into one safetensors file.

    It holds `latents` [N, ...] float32 (means, where there is a posterior) or `codes` [N, ...] int64, `labels` [N], and
    in its metadata the items' paths, as JSON, and whose they are.

    Args:
        run: the run directory, such as runs/vqgan, or the .safetensors file of an averaged generator
        source: a folder with its sub-folders, a file or a zip of items; they are brought to the form of the run's data
            as these were
        out: a new file; by default encoded.safetensors in the run directory, or beside the file
        checkpoint: of a run directory, the last, or the best of the validations
        skip_bad: leave out items that cannot be used
        options: of the kind of data that it is

    Raises:
        UserError: the run cannot be loaded or is no autoencoder, the file exists, or an item cannot be used.
    """
    reachable(run)
    existing(source)
    path = file_of(Path(out) if out is not None else beside(run) / "encoded")
    new(path, "--out")
    outside(path, "--out", [source])
    module = autoencoder(run, checkpoint)
    inputs = Inputs(source, run, module, options, skip_bad)
    make_room(path.parent, path, "--out")

    paths, values, labels = list[str](), torch.empty(0), inputs.labels.clone()
    kind = "codes" if getattr(module.generator, "codes", 0) else "latents"
    with Bars() as bars:
        advance = bars.counted(inputs.name, len(inputs))
        for piece in inputs.pieces(advance):
            with passing(f"{source}: {piece.paths[0]}", module, run):
                latent, side = module.ema.module.encode(piece.source, piece.label)
            value = side["codes"].cpu() if kind == "codes" else finite(latent.float(), run).cpu()
            if not paths:
                values = room_for(value, len(inputs), source)
            _refuse_unlike(value, values, f"{source}: {piece.paths[0]}")
            here = slice(len(paths), len(paths) + len(value))
            values[here], labels[here] = value, piece.label.cpu()
            paths += piece.paths
            advance(len(value))
    about = About(kind, paths, run, digest_of(module.ema.module))
    with writing("--out", path):
        write(about, values[: len(paths)], labels[: len(paths)], path)
    inputs.tell()
    what = inputs.kind.item if len(paths) == 1 else f"{inputs.kind.item}s"
    say(f"{kind} {[len(paths), *values.shape[1:]]} of {len(paths):,} {what} in {path}")


def decode(run: str, latents: str, out: str | None = None, checkpoint: Checkpoint = "last") -> None:
    """Write the items that latents or codes stand for, each under the name of the one that was encoded.

    Args:
        run: the run directory, or the .safetensors file of an averaged generator, by which they were encoded
        latents: the file that encode has written
        out: an empty or new folder; by default `decoded` in the run directory, or beside the file
        checkpoint: of a run directory, the last, or the best of the validations

    Raises:
        UserError: the run cannot be loaded, the latents are another run's, or the folder is not empty.
    """
    for word in (run, latents):
        reachable(word)
    folder, path = Path(out) if out is not None else beside(run) / "decoded", Path(latents)
    empty(folder, "--out")
    module, data = autoencoder(run, checkpoint), setting(run).data
    modality, generator = data.modality, module.ema.module
    found = read(path)
    _refuse_others(found, path, run, module)
    make_room(folder, folder, "--out")
    with Bars() as bars, writing("--out", folder):
        advance, together = bars.counted(path.name, len(found)), batch_of(module, data)
        for first in range(0, len(found), together):
            places = slice(first, first + together)
            value, label = (part[places].to(module.device) for part in (found, found.labels))
            with passing(f"{path}: {found.about.paths[first]}", module, run):
                latent = generator.embedded(value) if found.about.kind == "codes" else value
                output = generator.decode(latent, label).float().cpu()
            made = modality.to_stored(finite(output, run))
            for name, item in zip(found.about.paths[places], made, strict=True):
                modality.write(item, folder / name)
            advance(len(made))
    say(f"{len(found):,} {modality.item if len(found) == 1 else f'{modality.item}s'} in {folder}")


def autoencoder(run: str, checkpoint: Checkpoint) -> Translation:
    """A trained module whose generator encodes and decodes.

    Raises:
        UserError: it does not.
    """
    module = taking_data(run, checkpoint)
    if not all(hasattr(module.generator, name) for name in ("encode", "decode")):
        network = type(module.generator).__name__
        raise UserError(f"{run} holds a {network}, which is no autoencoder: name a run of one, or use translate.")
    return module


def room_for(value: Tensor, count: int, source: str) -> Tensor:
    """A tensor [N, ...] for as many latents like the first [B, ...].

    Raises:
        UserError: it would be too large.
    """
    size = value[0].nbytes * count
    if size > LARGEST:
        raise UserError(
            f"{source} has {count:,} items, whose latents take {size / 1e9:,.1f} GB, and a file holds "
            f"{LARGEST / 1e9:,.1f} at most: encode it in parts, such as its sub-folders."
        )
    return value.new_empty(count, *value.shape[1:])


def _refuse_unlike(value: Tensor, others: Tensor, item: str) -> None:
    """Latents of several shapes are not one tensor."""
    if value.shape[1:] != others.shape[1:]:
        raise UserError(
            f"{item} has a latent of {list(value.shape[1:])} while the first has one of {list(others.shape[1:])}, and "
            "a file holds those of one shape: bring all items to one size."
        )


def _refuse_others(found: Latents, path: Path, run: str, module: Translation) -> None:
    """Latents mean something to the weights alone that they are of."""
    about, codes = found.about, getattr(module.generator, "codes", 0)
    if about.weights != digest_of(module.ema.module):
        raise UserError(
            f"{path} holds {about.kind} of other weights, those of {about.run}, than {run} has: name the run and the "
            "--checkpoint by which they were encoded."
        )
    labels = found.labels
    known = max(getattr(module.generator, "classes", 0), 1)
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < known:
        raise UserError(f"{path} has labels from {labels.min()} to {labels.max()}; this run knows 0 to {known - 1}.")
    for first in range(0, len(found), SAMPLED) if about.kind == "codes" else ():
        value = found[first : first + SAMPLED]
        if not 0 <= int(value.min()) <= int(value.max()) < codes:
            raise UserError(f"{path} has codes from {value.min()} to {value.max()}; this run knows 0 to {codes - 1}.")
