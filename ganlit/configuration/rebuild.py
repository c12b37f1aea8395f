"""How a trained module, and what it was trained on, come back from the record of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, NamedTuple

from jsonargparse import ArgumentError, ArgumentParser
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from torch import Tensor, nn

from ganlit.configuration import building  # noqa: F401, by which classes are built
from ganlit.configuration.references import filled
from ganlit.configuration.refusals import explain, refused
from ganlit.data.base import GanDataModule
from ganlit.errors import UserError, within
from ganlit.records import documents, durable
from ganlit.records.moved import current
from ganlit.records.runs import last_checkpoint
from ganlit.tasks.base import AdversarialModule

MOST = 300
"""Characters of a reason: it may name every weight."""


def load(run: str | Path, checkpoint: Literal["last", "best"] = "last") -> AdversarialModule:
    """A trained module in evaluation mode, with its EMA, ready to `sample`.

    It is rebuilt from a configuration and weights: neither the dataset nor a Trainer is needed.

    Args:
        run: its directory, such as `runs/stylegan_lite`, or a `.safetensors` file that it wrote. That file holds the
            averaged generator, which then takes the place of the trained one too; the discriminator is untrained.
        checkpoint: of a directory, the last, or the best by FID.

    Raises:
        UserError: that is no run of ganlit, or it holds no such checkpoint, or only damaged ones.
    """
    path = Path(run)
    return (_from_weights(path) if path.suffix == ".safetensors" else _from_directory(path, checkpoint)).eval()


def _from_directory(folder: Path, checkpoint: str) -> AdversarialModule:
    config = _config_file(folder)
    path = last_checkpoint(folder) if checkpoint == "last" else folder / "checkpoints" / f"{checkpoint}.ckpt"
    state = durable.load(path)
    module = build(documents.text(config), config)
    fill(module, state.get("state_dict", {}), path, config)
    module.on_load_checkpoint(state)
    return module


def _from_weights(path: Path) -> AdversarialModule:
    weights = durable.read_weights(path)
    module = build(weights.config, path)
    for generator in (module.ema.module, module.generator):
        fill(generator, weights.state, path, "the configuration in it")
    module.images_seen, module.populated = weights.images_seen, weights.populated
    return module


def fill(module: nn.Module, state: dict[str, Tensor], path: Path, config: Path | str) -> None:
    """Loads a state, all of which a module has, and all of which it needs.

    Args:
        state: by names.
        path: that it is from.
        config: what messages call that by which the module was built.

    Raises:
        UserError: it is of another network.
    """
    try:
        for name, value in module.state_dict().items():
            given = state.get(name, value)
            if not isinstance(given, Tensor) or kind(given) != kind(value):
                raise TypeError(f"{name} is no {kind(value)}")
        module.load_state_dict(state)
    except (RuntimeError, TypeError, AttributeError) as error:
        reason = " ".join(" ".join(str(error).splitlines()[:2]).split())
        raise UserError(f"{path} does not fit {config}: {reason[:MOST]}") from None


def kind(numbers: Tensor) -> str:
    """What no loading may turn into another, in silence: numbers of any precision, but of one kind."""
    return "complex" if numbers.is_complex() else "float" if numbers.is_floating_point() else "integer"


def build(config: str, source: Path) -> AdversarialModule:
    """The untrained module that a saved configuration describes.

    Args:
        config: content of a config.yaml.
        source: the file that it comes from.

    Raises:
        UserError: it does not describe one.
    """
    module: AdversarialModule = _described("model", AdversarialModule, config, source)
    module.seed = _seed(config, source, module.seed)
    return module


class Setting(NamedTuple):
    """What a run was trained on, in which precision, and how it was measured."""

    data: GanDataModule
    precision: str
    fidelity: dict[str, Any]  # arguments of the callback; empty where nothing was measured


def setting(run: str | Path) -> Setting:
    """The data that a run was trained on, with its seed, the precision of its Trainer, and its measures' arguments.

    Args:
        run: as for `load`.

    Raises:
        UserError: that is no run of ganlit.
    """
    path = Path(run)
    config, source = recorded(path)
    data: GanDataModule = _described("data", GanDataModule, config, source)
    settings = _settings(config, source)
    data.seed = _seed(config, source, data.seed)
    for folder in (path.parent.parent, path.parent) if path.suffix == ".safetensors" else (path,):
        data.recall(folder)
    fidelity = settings.get("fidelity") or {}
    precision = str(settings.get("trainer", {}).get("precision", "32-true"))
    return Setting(data, precision, fidelity.get("init_args", fidelity if "class_path" not in fidelity else {}))


def recorded(run: Path) -> tuple[str, Path]:
    """The content of a run's config.yaml, and the file in which it stands.

    Args:
        run: as for `load`.

    Raises:
        UserError: that is no run of ganlit.
    """
    if run.suffix == ".safetensors":
        return durable.read_weights(run).config, run
    source = _config_file(run)
    return documents.text(source), source


def _config_file(folder: Path) -> Path:
    config = folder / "config.yaml"
    if not config.is_file():
        raise UserError(f"{folder} is not a run directory: it has no config.yaml; name one such as runs/stylegan_lite.")
    return config


def _described(key: str, kind: type, config: str, source: Path) -> Any:
    """The object that a saved configuration describes under a key."""
    settings = OmegaConf.create(_settings(config, source))
    if not settings.get(key):
        raise UserError(f"{source} does not describe a {key} of ganlit, it has no such key: name a run's.")
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(kind, key, required=True)
    try:
        parsed = parser.parse_object({key: filled(settings[key])})
        return parser.instantiate(parsed)[key]
    except (TypeError, ValueError, ArgumentError, OmegaConfBaseException) as error:
        said = refused(error) or (explain(str(error), ()) if isinstance(error, ArgumentError) else str(error))
        said = " ".join(str(said).split()).rstrip(".")
        raise UserError(f"{source} does not describe a {key} of ganlit ({said}).") from None


def _seed(config: str, source: Path, default: int) -> int:
    seed = _settings(config, source).get("seed", default)
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise UserError(f"{source} says seed: {seed}, which is no number: mend it.")
    within(f"seed in {source}", seed, least=0, below=2**32)
    return seed


def _settings(config: str, source: Path) -> dict[str, Any]:
    return documents.mapping(current(config), source)
