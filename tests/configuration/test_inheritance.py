"""What a module takes over from a run, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from coders import translation
from points import PointDiscriminator, PointGenerator
from torch import Tensor, nn

from ganlit.augment.adaptive import ADA
from ganlit.configuration.inheritance import Inheritance, Share, inherit
from ganlit.ema import EMA
from ganlit.errors import UserError
from ganlit.losses.adversarial import NonSaturating
from ganlit.losses.base import Criterion
from ganlit.losses.reconstruction import L1
from ganlit.losses.regularizers.generator import PathLength
from ganlit.networks.audio.hifigan import HiFiGenerator
from ganlit.networks.images.stylegan import StyleDiscriminator, StyleGenerator
from ganlit.records import durable
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.synthesis import Synthesis
from ganlit.tasks.translation import Translation

SIZE = {"channels": 1, "channel_base": 64, "channel_max": 4}


def game(seed: int = 0, classes: int = 2, **parts: Any) -> Synthesis:
    """Untrained, with other numbers for each seed, in the average and in buffers, too."""
    torch.manual_seed(seed)
    adam = partial(torch.optim.Adam, lr=1e-3)
    module = Synthesis(
        **{
            "generator": StyleGenerator(16, classes=classes, z_dim=4, w_dim=4, mapping_depth=1, **SIZE),
            "discriminator": StyleDiscriminator(16, classes=classes, **SIZE),
            "loss": NonSaturating(),
            "generator_optimizer": adam,
            "discriminator_optimizer": adam,
            "generator_regularizers": [PathLength()],
            "augment": ADA(p=seed / 10),
            "ema": partial(EMA, rampup=0.05),
        }
        | parts
    )
    for part in (*module.generator_regularizers, module.generator):
        for buffer in part.buffers(recurse=False):
            buffer.normal_()
    for average, weight in zip(module.ema.module.parameters(), module.generator.parameters(), strict=True):
        average.copy_(weight + 1)
    for average, buffer in zip(module.ema.module.buffers(), module.generator.buffers(), strict=True):
        average.copy_(buffer)
    return module


def saved(module: nn.Module, folder: Path, **more: Any) -> Path:
    durable.save({"state_dict": module.state_dict(), **more}, folder / "checkpoints" / "last.ckpt")
    return folder


def asked(source: Path | None, train: str | None = None, fresh: str = "", optimizers: bool = False) -> Inheritance:
    given = {"from": source and str(source), "train": train, "fresh": fresh, "from_optimizers": optimizers}
    return Inheritance.of(given)


def copied(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def equal(one: dict[str, Tensor], other: dict[str, Tensor], *prefixes: str, but: tuple[str, ...] = ()) -> bool:
    names = [name for name in one if name.startswith(prefixes) and not (but and name.startswith(but))]
    return bool(names) and all(torch.equal(one[name], other[name]) for name in names)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(game(seed=1), tmp_path_factory.mktemp("source"), images_seen=160)


@pytest.fixture(scope="module")
def average(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "ema.safetensors"
    durable.write_weights(game(seed=1).ema.module, "", 160, path)
    return path


@pytest.mark.parametrize("place", ["", "checkpoints/last.ckpt"])
def test_both_players_and_the_average_are_taken_over_and_the_game_begins(run: Path, place: str) -> None:
    module, source = game(), game(seed=1).state_dict()
    before = copied(module)
    found = inherit(module, asked(run / place))
    after = module.state_dict()
    assert equal(after, source, "generator.", "discriminator.", "ema.")
    assert equal(after, before, "augment.", "generator_regularizers.")
    assert module.images_seen == 0
    assert module.ema.rampup is None
    assert found.lines == [f"from     {run}/checkpoints/last.ckpt"]
    numbers = {player: sum(each.numel() for each in getattr(module, player).parameters()) for player in found.shares}
    assert found.shares == {player: Share(count, 0, 0, count) for player, count in numbers.items()}
    assert [*found.shares] == ["generator", "discriminator"]


def test_of_an_average_alone_the_generator_is_taken_over(average: Path) -> None:
    module, source = game(), game(seed=1).ema.module.state_dict()
    before = copied(module)
    found = inherit(module, asked(average))
    for generator in (module.generator, module.ema.module):
        assert equal(generator.state_dict(), source, "")
    assert equal(module.state_dict(), before, "discriminator.")
    assert found.lines[1] == "from     that is a generator alone: the discriminator begins anew"
    assert found.shares["discriminator"].loaded == 0


def test_what_begins_anew_is_as_it_was_built_in_the_average_too(run: Path) -> None:
    module, source = game(), game(seed=1).state_dict()
    module.ema = EMA(module.generator)
    before = copied(module)
    found = inherit(module, asked(run, fresh="generator.to_image.?, discriminator.last"))
    after, fresh = module.state_dict(), ("generator.to_image", "ema.module.to_image", "discriminator.last")
    assert equal(after, before, *fresh)
    assert equal(after, source, "generator.", "ema.", "discriminator.", but=fresh)
    assert found.shares["discriminator"].fresh == sum(each.numel() for each in module.discriminator.last.parameters())


def test_an_average_that_begins_anew_keeps_its_ramp_up(run: Path) -> None:
    module = game()
    inherit(module, asked(run, fresh="generator"))
    assert module.ema.rampup == 0.05


def test_what_is_frozen_of_the_generator_is_the_average_in_both(run: Path) -> None:
    module, source = game(), game(seed=1).state_dict()
    inherit(module, asked(run, train="generator.to_image,discriminator"))
    after = module.state_dict()
    averages = {name.replace("ema.module", "generator"): value for name, value in source.items()}
    assert equal(after, averages, "generator.", but=("generator.to_image",))
    assert equal(after, source, "generator.to_image", "ema.", "discriminator.")


def test_what_does_not_match_is_frozen_buffers_too() -> None:
    module = game()
    found = inherit(module, asked(None, train="generator.layers.[12],generator.*.bias"))
    learning = {
        name for name in module.state_dict() if name.startswith(("generator.layers.1.", "generator.layers.2."))
    } | {name for name in module.state_dict() if name.startswith("generator.") and name.endswith(".bias")}
    players = {name for name in module.state_dict() if name.startswith(("generator.", "discriminator."))}
    assert module.frozen.names == players - learning
    assert "generator.w_mean" in module.frozen.names
    assert found.lines == ["frozen   the discriminator never learns, and knows nothing: name it in train if it shall"]
    share = found.shares["generator"]
    assert (share.loaded, share.frozen + share.learning) == (0, share.fresh)
    assert share.learning == sum(module.get_parameter(name).numel() for name in learning)
    assert module.ema.rampup == 0.05


def test_a_tensor_of_two_names_learns_if_one_of_them_does() -> None:
    module = game()
    module.generator.other = module.generator.to_image
    inherit(module, asked(None, train="generator.other"))
    assert module.frozen.names.isdisjoint({"generator.other.0.bias", "generator.to_image.0.bias"})


def test_a_resumed_run_freezes_and_reads_nothing(tmp_path: Path) -> None:
    module = game()
    before = copied(module)
    found = inherit(module, asked(tmp_path / "gone", train="generator.layers", fresh="discriminator"), resumed=True)
    assert equal(module.state_dict(), before, "")
    assert "generator.constant" in module.frozen.names
    assert module.ema.rampup is None
    assert not found.shares
    assert found.lines[-1].startswith("frozen   ")


def test_a_run_of_another_task_is_a_source(run: Path) -> None:
    torch.manual_seed(0)
    adam = partial(torch.optim.Adam, lr=1e-3)
    parts = {"generator": nn.Conv2d(1, 1, 3, padding=1), "discriminator": StyleDiscriminator(16, classes=2, **SIZE)}
    optimizers = {"generator_optimizer": adam, "discriminator_optimizer": adam}
    criteria: list[Criterion] = [L1()]
    module = Translation(criteria=criteria, **parts, loss=NonSaturating(), **optimizers)
    before = copied(module)
    found = inherit(module, asked(run, fresh="generator"))
    assert equal(module.state_dict(), game(seed=1).state_dict(), "discriminator.")
    assert equal(module.state_dict(), before, "generator.", "ema.")
    assert len(found.lines) == 1  # what is left of a generator that begins anew is no surprise


def test_names_that_there_are_only_in_the_source_are_told(run: Path) -> None:
    module = game()
    del module.discriminator.features, module.discriminator.embedding
    (_, said) = inherit(module, asked(run)).lines
    assert said == (
        "from     not taken over, as nothing here has these names: discriminator.features.weight, "
        "discriminator.features.bias, discriminator.embedding.weight"
    )


@pytest.mark.parametrize(
    ("build", "fresh", "sentence"),
    [
        (
            lambda: game(classes=3),
            "",
            "does not fit: generator.w_mean is [2, 4] there and [3, 4] here, generator.mapping.embedding.weight is "
            "[2, 4] there and [3, 4] here, discriminator.embedding.weight is [2, 4] there and [3, 4] here; let these "
            "begin anew by --fresh=generator.w_mean,generator.mapping.embedding,discriminator.embedding, or take",
        ),
        (
            lambda: game(discriminator=PointDiscriminator()),
            "generator.w_mean",
            "discriminator.0.weight is not in it, discriminator.0.bias is not in it, discriminator.2.weight is not in "
            "it and 3 more; let these begin anew by --fresh=generator.w_mean,discriminator, or take",
        ),
        (
            lambda: game(generator=StyleGenerator(32, classes=2, z_dim=4, w_dim=4, mapping_depth=1, **SIZE)),
            "",
            "generator.layers.5.bias is not in it, ",
        ),
        (lambda: game(discriminator=StyleDiscriminator(16, 1, 2, 64, 8)), "", "by --fresh=discriminator, or take"),
    ],
)
def test_what_does_not_fit_is_told_with_what_to_do(
    run: Path, build: Callable[[], Synthesis], fresh: str, sentence: str
) -> None:
    module = build()
    before = copied(module)
    with pytest.raises(UserError) as told:
        inherit(module, asked(run, fresh=fresh))
    assert sentence in str(told.value)
    assert equal(module.state_dict(), before, "")
    proposal = str(told.value).partition("--fresh=")[2].partition(", or take")[0]
    inherit(module, asked(run, fresh=proposal))


@pytest.mark.parametrize(
    ("key", "pattern", "sentence"),
    [
        (
            "train",
            "generator.laiers",
            "train names generator.laiers, but there is no such part; did you mean generator.layers?",
        ),
        (
            "train",
            "generator,to_image.1",
            "train names to_image.1, but there is no such part; did you mean generator.to_image.1?",
        ),
        ("fresh", "ema", "fresh names ema, but there is no such part; names begin with generator or discriminator."),
        (
            "train",
            "discriminator",
            "train is discriminator, which leaves nothing of the generator to learn: name what ",
        ),
        ("train", "generator.w_mean", "which leaves nothing of the generator to learn"),
        ("train", " , ", "train is empty, which leaves nothing of the generator to learn"),
    ],
)
@pytest.mark.parametrize("resumed", [False, True])
def test_patterns_that_mean_nothing(run: Path, key: str, pattern: str, sentence: str, resumed: bool) -> None:
    with pytest.raises(UserError) as told:
        inherit(game(), asked(run, **{key: pattern}), resumed)
    assert sentence in str(told.value)


def damaged(folder: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    state = dict(game(seed=1).state_dict())
    change(state)
    durable.save({"state_dict": state}, folder / "checkpoints" / "last.ckpt")
    return folder


SOURCES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "nothing": (lambda place: place / "nothing", "nothing, which is no run: name a run directory"),
    "a typo": (lambda place: (place / "lite").mkdir() or place / "lit", "is no run; did you mean .*/lite"),
    "no place at all": (lambda place: place / "a" / "b", "is no run: name a run directory"),
    "a folder": (lambda place: place, "a folder that holds no trained run: name a run directory"),
    "no weights": (lambda place: saved_as(place / "a.safetensors", b"none"), "damaged or no safetensors file"),
    "a damaged checkpoint": (lambda place: saved_as(place / "a.ckpt", b"none"), "is damaged or no checkpoint"),
    "another file": (lambda place: saved_as(place / "a.txt", b"none"), "is no run: name a run directory"),
    "damaged weights": (lambda place: saved_as(place / "a.pth", b"none"), "a.pth is damaged or no file of weights"),
    "no state": (lambda place: saved_without(place), "holds no weights of ganlit's"),
    "no tensor": (
        lambda place: damaged(place, lambda state: state.update({"generator.constant": "x"})),
        "generator.constant is not in it; .* --fresh=generator.constant",
    ),
    "another kind": (
        lambda place: damaged(place, lambda state: state.update({"generator.constant": torch.zeros(1, 4, 4, 4).int()})),
        "generator.constant is integer there and float here",
    ),
}


def saved_as(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def saved_without(folder: Path) -> Path:
    durable.save({"state_dict": [1]}, folder / "checkpoints" / "last.ckpt")
    return folder


@pytest.mark.parametrize("name", SOURCES)
def test_what_is_no_source_is_refused(tmp_path: Path, name: str) -> None:
    make, sentence = SOURCES[name]
    with pytest.raises(UserError, match=sentence):
        inherit(game(), asked(make(tmp_path)))


@pytest.mark.parametrize(("key", "value"), [("fresh", "discriminator"), ("from_optimizers", True)])
def test_keys_that_mean_nothing_without_a_source(key: str, value: Any) -> None:
    with pytest.raises(UserError, match=f"{key} is given without from"):
        asked(None, **{key.removeprefix("from_"): value})


def test_weights_that_others_publish_are_a_generator(tmp_path: Path) -> None:
    module, source = game(), game(seed=1).generator.state_dict()
    torch.save({"params": game(seed=2).generator.state_dict(), "params_ema": source}, tmp_path / "net.pth")
    found = inherit(module, asked(tmp_path / "net.pth"))
    for generator in (module.generator, module.ema.module):
        assert equal(generator.state_dict(), source, "")
    assert found.lines == [
        f"from     {tmp_path}/net.pth",
        "from     that is a generator alone: the discriminator begins anew",
    ]
    source["w_mean"] = source["w_mean"][:1]
    del source["constant"]
    torch.save(source, tmp_path / "other.pth")
    with pytest.raises(UserError) as told:
        inherit(module, asked(tmp_path / "other.pth"))
    assert str(told.value) == (
        f"{tmp_path}/other.pth does not fit: generator.constant is not in it, generator.w_mean is [1, 4] there and "
        "[2, 4] here; let these begin anew by --fresh=generator.constant,generator.w_mean, or take the networks that "
        "it is of."
    )


def test_weight_norm_of_an_older_torch_is_known_by_its_names(tmp_path: Path) -> None:
    def vocoder() -> HiFiGenerator:
        return HiFiGenerator(4, width=4, strides=(2, 2), kernels=(3,), dilations=((1,),))

    source, module = vocoder().state_dict(), translation(vocoder())
    old = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    names = {name: name.replace(new, then) for new, then in old.items() for name in source if new in name}
    assert {"conv_pre.weight_g", "ups.1.weight_v", "conv_post.weight_g"} <= {*names.values()}
    torch.save({"generator": {names.get(name, name): value for name, value in source.items()}}, tmp_path / "g.pth")
    inherit(module, asked(tmp_path / "g.pth"))
    for generator in (module.generator, module.ema.module):
        assert equal(generator.state_dict(), source, "")


def test_an_average_has_no_optimizers(average: Path) -> None:
    with pytest.raises(UserError, match=r"from_optimizers is given, but .*ema\.safetensors holds a generator alone"):
        inherit(game(), asked(average, optimizers=True))


def test_the_damaged_last_checkpoint_of_a_source_costs_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    folder = saved(game(seed=2), saved(game(seed=1), tmp_path))
    (folder / "checkpoints" / "last.ckpt").write_bytes(b"none")
    module: AdversarialModule = game()
    inherit(module, asked(folder))
    assert equal(module.state_dict(), game(seed=1).state_dict(), "generator.")
    assert "previous.ckpt, of the save before it, is used instead" in capsys.readouterr().out


def test_points_are_no_images(run: Path) -> None:
    """A modality is nothing to names and shapes."""
    with pytest.raises(UserError, match=r"--fresh=generator,discriminator, or take"):
        inherit(
            game(generator=PointGenerator(), discriminator=PointDiscriminator(), generator_regularizers=[]), asked(run)
        )
