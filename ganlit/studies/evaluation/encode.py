"""Items to the latents or codes of an autoencoder, and back."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ganlit.compute.console import say
from ganlit.configuration.rebuild import setting
from ganlit.contracts import Modality
from ganlit.data.base import SAMPLED
from ganlit.errors import UserError
from ganlit.studies.evaluation.bars import Bars
from ganlit.studies.evaluation.inputs import Inputs, Piece, batch_of, existing
from ganlit.studies.evaluation.latents import About, Gathered, Latents, Values, file_of, read, write
from ganlit.studies.evaluation.levels import reduced, tell_levels
from ganlit.studies.evaluation.outputs import beside, empty, make_room, new, outside, writing
from ganlit.studies.evaluation.pace import Pace
from ganlit.studies.evaluation.subject import reachable
from ganlit.studies.evaluation.tiles import Tiling, answered, joined, tiling
from ganlit.studies.evaluation.trained import Checkpoint, digest_of, finite, passing, taking_data
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.translation import Translation


def encode(
    run: str,
    source: str,
    out: str | None = None,
    checkpoint: Checkpoint = "last",
    skip_bad: bool = False,
    levels: int | None = None,
    **options: Any,
) -> None:
    """Write the latents of items, or their codes where an autoencoder has a codebook, into one safetensors file.

    It holds `latents` [N, ...] float32 (means, where there is a posterior) or `codes` [N, ...] int64, `labels` [N], and
    in its metadata the items' paths, as JSON, and whose they are. Recordings may be of any length: the file also says
    by `ends` [N] how long each is, and where their latents are of unequal length, these are one after the other, [sum
    of the lengths, ...], with `lengths` [N].

    Args:
        run: the run directory, such as runs/vqgan, or the .safetensors file of an averaged generator
        source: a folder with its sub-folders, a file or a zip of items; they are brought to the form of the run's data
            as these were
        out: a new file; by default encoded.safetensors in the run directory, or beside the file
        checkpoint: of a run directory, the last, or the best of the validations
        skip_bad: leave out items that cannot be used
        levels: of codes that are in several, the first ones alone, which are fewer bits
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
    reduced(module, levels, run)
    inputs = Inputs(source, run, module, options, skip_bad)
    ragged = inputs.kind.ragged
    cut = encoding(module.generator, inputs.kind)
    make_room(path.parent, path, "--out")

    paths, labels, ends = list[str](), list[Tensor](), list[int]()
    kind = "codes" if getattr(module.generator, "codes", 0) else "latents"
    gathered, pace = Gathered(len(inputs), source, ragged), Pace(inputs.kind)

    def taken(piece: Piece) -> None:
        items, share = f"{source}: {piece.paths[0]}", len(piece.paths) / cut.count(piece.stored)

        def network(part: Tensor) -> Tensor:
            with passing(items, module, run):
                latent, side = module.ema.module.encode(piece.seen(part), piece.label)
            advance(share)
            return side["codes"].double().cpu() if kind == "codes" else finite(latent.float(), run).cpu()

        value = joined(answered(network, piece.stored, cut), path.parent)
        gathered.add(value.long() if kind == "codes" else value, items)
        paths.extend(piece.paths)
        labels.append(piece.label.cpu())
        ends.extend([piece.stored.shape[-1]] * len(piece.paths))
        pace.add(piece.stored)

    with Bars() as bars, writing("--out", path):
        advance = bars.counted(inputs.name, len(inputs))
        for piece in inputs.pieces(advance):
            taken(piece)
    flat, lengths = gathered.joined()
    values = Values(flat, torch.cat(labels), lengths, torch.tensor(ends) if ragged else None)
    with writing("--out", path):
        write(About(kind, paths, run, digest_of(module.ema.module)), values, path)
    inputs.tell()
    what = inputs.kind.item if len(paths) == 1 else f"{inputs.kind.item}s"
    shape = [len(paths), *flat.shape[1:]] if lengths is None else [*flat.shape]
    say(f"{kind} {shape} of {len(paths):,} {what} in {path}")
    tell_levels(module.ema.module)
    pace.tell()


def decode(run: str, latents: str, out: str | None = None, checkpoint: Checkpoint = "last") -> None:
    """Write the items that latents or codes stand for, each under the name of the one that was encoded.

    Args:
        run: the run directory, or the .safetensors file of an averaged generator, by which they were encoded
        latents: the file that encode has written; of codes in levels it may hold the first ones alone
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
    cut, pace = decoding(generator, modality), Pace(modality)
    with Bars() as bars, writing("--out", folder):
        advance = bars.counted(path.name, len(found))
        for places, value in found.pieces(batch_of(module, data)):
            label, names = found.labels[places].to(module.device), found.about.paths[places]

            def network(part: Tensor, label: Tensor = label, item: str = f"{path}: {names[0]}") -> Tensor:
                part = part.to(module.device)
                with passing(item, module, run):
                    latent = generator.embedded(part) if found.about.kind == "codes" else part
                    return generator.decode(latent, label).float().cpu()

            made = joined((modality.to_stored(finite(band, run)) for band in answered(network, value, cut)), folder)
            if found.ends is not None:
                made = made[..., : int(found.ends[places].max())]
            for name, item in zip(names, made, strict=True):
                modality.write(item, folder / name)
            pace.add(made)
            advance(len(made))
    say(f"{len(found):,} {modality.item if len(found) == 1 else f'{modality.item}s'} in {folder}")
    pace.tell()


def encoding(generator: nn.Module, kind: Modality) -> Tiling:
    """How items are cut whose latents are wanted: one for so many places as the network needs a multiple of."""
    if not kind.ragged:
        return Tiling(None)
    cut = tiling(generator, kind, None, None)
    return cut._replace(scale=Fraction(1, cut.multiple), fading=False)


def decoding(generator: nn.Module, kind: Modality) -> Tiling:
    """How latents are cut of which items of this kind are made."""
    cut = encoding(generator, kind)
    side = None if cut.side is None else cut.side // cut.multiple
    return Tiling(side, -(-cut.overlap // cut.multiple), scale=cut.multiple)


def autoencoder(run: str, checkpoint: Checkpoint) -> Translation:
    """A trained module whose generator encodes and decodes.

    Raises:
        UserError: it does not.
    """
    module = taking_data(run, checkpoint)
    encodes(module, run)
    return module


def encodes(module: AdversarialModule, run: str) -> None:
    """Refuses a module whose generator is no autoencoder.

    Raises:
        UserError: it is none.
    """
    if not all(hasattr(module.generator, name) for name in ("encode", "decode")):
        network = type(module.generator).__name__
        raise UserError(f"{run} holds a {network}, which is no autoencoder: name a run of one, or use translate.")


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
    for _, value in found.pieces(SAMPLED) if about.kind == "codes" else ():
        if not 0 <= int(value.min()) <= int(value.max()) < codes:
            raise UserError(f"{path} has codes from {value.min()} to {value.max()}; this run knows 0 to {codes - 1}.")
