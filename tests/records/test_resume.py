"""One run that is interrupted and resumed equals one that never was; and what a resumed run may change."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.loggers import Logger
from lightning.pytorch.strategies import SingleDeviceStrategy
from noises import Noises
from remains import Kill, Killed, rows_of, same
from squares import Answer, tiny
from torch import Tensor
from translators import Sampler

from ganlit.augment.adaptive import ADA
from ganlit.callbacks.anneal import Anneal
from ganlit.callbacks.budget import Budget
from ganlit.callbacks.checkpoint import Checkpoints, DurableIO
from ganlit.callbacks.fidelity import Fidelity
from ganlit.callbacks.loggers.metrics_file import MetricsFile
from ganlit.callbacks.loggers.wandb import Wandb, WandbOptions
from ganlit.callbacks.recovery import Recovery
from ganlit.cli.lab import Lab
from ganlit.cli.main import main
from ganlit.contracts import Labelled
from ganlit.ema import EMA
from ganlit.errors import UserError
from ganlit.losses.adversarial import NonSaturating
from ganlit.losses.likelihood import KL
from ganlit.losses.reconstruction import L1
from ganlit.losses.regularizers.generator import PathLength
from ganlit.losses.regularizers.gradient import R1
from ganlit.losses.weight import AdaptiveWeight
from ganlit.networks.images.dcgan import DCDiscriminator
from ganlit.networks.images.stylegan import StyleGenerator
from ganlit.networks.pairs import ThereAndBack
from ganlit.records import durable
from ganlit.records.resume import brief, changes, compare, differences, guarded, inside
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.cycle import CycleTranslation
from ganlit.tasks.synthesis import Synthesis
from ganlit.tasks.translation import Translation

BATCH, TICK, END = 8, 32, 96  # images


def full_game(kind: type[AdversarialModule] = Synthesis) -> AdversarialModule:
    """All that can have a state, has one."""
    torch.manual_seed(11)
    adam = partial(torch.optim.Adam, lr=1e-3, betas=(0.5, 0.99))
    size = {"z_dim": 4, "w_dim": 4, "mapping_depth": 1, "channel_base": 64, "channel_max": 4}
    parts: dict[type[AdversarialModule], dict[str, Any]] = {
        Synthesis: {"generator": StyleGenerator(16, channels=1, classes=2, style_mixing=0.5, **size)},
        Translation: {
            "generator": Sampler(),
            "criteria": [L1(), KL(0.1)],
            "adversarial": AdaptiveWeight(0.5, start=0.04, lead=0.016, ramp=0.02),
        },
        CycleTranslation: {
            "generator": ThereAndBack(Sampler(), Sampler()),
            "discriminator": ThereAndBack(*(DCDiscriminator(16, channels=1, width=2) for _ in range(2))),
            "cycle": [L1()],
            "identity": [L1(0.5)],
            "pool": 20,
            "generator_regularizers": None,
            "augment": ADA(p=0.3, target=0.0, speed=0.1, interval=3),
        },
    }
    every: dict[str, Any] = {
        "discriminator": DCDiscriminator(16, channels=1, width=2),
        "loss": NonSaturating(),
        "generator_optimizer": adam,
        "discriminator_optimizer": adam,
        "regularizers": [R1(weight=0.1, every=2)],
        "generator_regularizers": [PathLength(weight=0.1, every=2)],
        "augment": ADA(p=0.3, target=0.0, speed=0.1, interval=2),
        "ema": partial(EMA, half_life=0.02),
        "n_critic": 2,
        "accumulate": 2,
        "generator_clip": 0.5,
    }
    return kind(**every | parts[kind])


class Judge(Fidelity):
    """Scores the average by its weights, in place of an Inception; the first tick is the best."""

    def setup(self, trainer: Trainer, pl_module: Synthesis, stage: str) -> None: ...

    def on_validation_epoch_start(self, *_: Any) -> None: ...

    def on_validation_batch_end(self, *_: Any) -> None: ...

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: Synthesis) -> None:
        weight = sum(parameter.abs().sum().item() for parameter in pl_module.ema.parameters())
        self.latest = {"fid/weights": weight + pl_module.images_seen}
        self.history.append((pl_module.kimg, self.latest))
        pl_module.log_dict(self.latest)


class Journal(Callback):
    """Writes down, by the clock, what each step was given and governed by."""

    def __init__(self) -> None:
        self.data: dict[int, Tensor] = {}
        self.latents: dict[int, list[Tensor]] = {}
        self.stream: dict[int, Tensor] = {}
        self.schedules: dict[int, list[float]] = {}

    def on_fit_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        latents = getattr(pl_module, "latents", None)  # of who draws them before the generator does

        def note(label: Tensor) -> Tensor:
            drawn = latents(label)
            self.latents.setdefault(pl_module.images_seen, []).append(drawn.detach().clone())
            return drawn

        if latents is not None:
            pl_module.latents = note

    def on_train_batch_start(self, trainer: Trainer, pl_module: Synthesis, batch: Labelled, *_: Any) -> None:
        self.data[pl_module.images_seen] = batch.item.clone()
        self.latents[pl_module.images_seen] = []
        if pl_module.images_seen == BATCH:
            batch.item[0] = torch.nan  # one step is skipped, to be remembered

    def on_train_batch_end(self, trainer: Trainer, pl_module: Synthesis, *_: Any) -> None:
        groups = [optimizer.param_groups[0] for optimizer in trainer.optimizers]
        rates = [value for group in groups for value in (group["lr"], *group["betas"])]
        self.schedules[pl_module.images_seen] = [*rates, pl_module.regularizers[0].weight, pl_module.ema.half_life]
        self.stream[pl_module.images_seen] = torch.get_rng_state()


class Ended(NamedTuple):
    module: Synthesis
    journal: Journal
    judge: Judge
    checkpoints: Checkpoints
    optimizers: list[dict[str, Any]]
    folder: Path


def play(
    folder: Path,
    *kill: Kill,
    resume: bool = False,
    journal: Journal | None = None,
    logger: Logger | None = None,
    kind: type[AdversarialModule] = Synthesis,
) -> Ended:
    """Trains with objects of its own, as a new process would; `journal` is for who wants to read it after a kill."""
    journal, judge = journal or Journal(), Judge()
    checkpoints = Checkpoints("", judge)
    end = END / 1000
    schedules = [
        Anneal(end, "lr", share=1.0, player="generator"),
        Anneal(end, "beta2", to=0.9, share=1.0, shape="cosine"),
        Anneal(end, "gamma", to=0.5, share=1.0),
        Anneal(end, "half_life", to=0.05, share=1.0),
    ]
    trainer = Lab(
        accelerator="cpu",
        max_epochs=-1,
        log_every_n_steps=1,
        default_root_dir=folder,
        callbacks=[Budget(end), Recovery(), judge, *schedules, journal, *kill, checkpoints],
        plugins=[DurableIO()],
        logger=logger or MetricsFile(folder / "metrics.csv"),
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        **dict.fromkeys(("enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False),
    )
    module = full_game(kind)
    last = folder / "checkpoints" / "last.ckpt"
    data = Noises(batch=BATCH, tick=TICK / 1000, val_images=2 * BATCH)
    trainer.fit(module, data, ckpt_path=last if resume else None)
    states = copy.deepcopy([optimizer.state_dict() for optimizer in trainer.optimizers])
    return Ended(module, journal, judge, checkpoints, states, folder)


INSTANTS = {
    "in the middle of a tick": Kill(48, "on_train_batch_start", save=True),
    "between two checkpoints": Kill(48, "on_train_batch_start"),
    "at the end of a tick": Kill(64, "on_train_batch_start"),
    "before a validation": Kill(64, "on_validation_batch_start"),
    "before the first validation": Kill(32, "on_validation_batch_start"),
}


def merged(first: dict[int, Any], second: dict[int, Any]) -> dict[int, Any]:
    return dict(sorted({**first, **second}.items()))


def part(ended: Ended, *prefixes: str) -> dict[str, Tensor]:
    """What the module remembers under names that begin so."""
    found = {name: value for name, value in ended.module.state_dict().items() if name.startswith(prefixes)}
    assert found, prefixes
    return found


def batch_statistics(ended: Ended) -> dict[str, Tensor]:
    return {name: value for name, value in part(ended, "discriminator.").items() if "running" in name}


# What a resumed run restores, and where it is found when the run has ended.
STATE: dict[str, Callable[[Ended], Any]] = {
    "weights of the generator": lambda ended: part(ended, "generator."),
    "weights of the discriminator": lambda ended: part(ended, "discriminator."),
    "optimizer of the discriminator": lambda ended: ended.optimizers[0],
    "optimizer of the generator": lambda ended: ended.optimizers[1],
    "average of the generator": lambda ended: part(ended, "ema."),
    "strength and counters of ADA": lambda ended: part(ended, "augment."),
    "mean styles": lambda ended: part(ended, "generator.w_mean", "ema.module.w_mean"),
    "mean path length": lambda ended: part(ended, "generator_regularizers.0.mean"),
    "batch statistics": batch_statistics,
    "images seen": lambda ended: ended.module.images_seen,
    "order of the data": lambda ended: ended.journal.data,
    "latents": lambda ended: ended.journal.latents,
    "random stream": lambda ended: ended.journal.stream,
    "values of schedules": lambda ended: ended.journal.schedules,
    "history of scores": lambda ended: ended.judge.history,
    "best score and its clock": lambda ended: (ended.checkpoints.best, ended.checkpoints.best_kimg),
    "best checkpoint": lambda ended: durable.load(ended.folder / "checkpoints" / "best.ckpt")["state_dict"],
    "pools": lambda ended: {way: pool.items for way, pool in getattr(ended.module, "pools", {}).items()},
    "skipped steps": lambda ended: ended.module.skipped,
    "rows of metrics.csv": lambda ended: (ended.folder / "metrics.csv").read_text(),
}


KINDS = {"Synthesis": Synthesis, "Translation": Translation, "CycleTranslation": CycleTranslation}
OF_SOME = {
    "latents": ["Synthesis"],
    "mean styles": ["Synthesis"],
    "mean path length": ["Synthesis", "Translation"],
    "pools": ["CycleTranslation"],
}


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """The name of a task."""
    return request.param


@pytest.fixture(scope="module")
def untouched(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """The run that nobody interrupts."""
    return play(tmp_path_factory.mktemp("untouched"), kind=KINDS[kind])


@pytest.mark.parametrize("kill", INSTANTS.values(), ids=INSTANTS.keys())
def test_a_resumed_run_equals_one_that_was_never_stopped(
    kind: str, untouched: Ended, kill: Kill, tmp_path: Path
) -> None:
    """It was killed at some instant and gone on with by new objects."""
    first = Journal()
    with pytest.raises(Killed):
        play(tmp_path, kill, journal=first, kind=KINDS[kind])
    resumed = play(tmp_path, resume=True, kind=KINDS[kind])
    for name in ("data", "latents", "stream", "schedules"):
        setattr(resumed.journal, name, merged(getattr(first, name), getattr(resumed.journal, name)))
    names = [name for name in STATE if kind in OF_SOME.get(name, KINDS)]
    assert [name for name in names if not same(STATE[name](untouched), STATE[name](resumed))] == []


def test_all_of_that_state_is_at_work(kind: str, untouched: Ended) -> None:
    """So that the equality above says something."""
    fresh = full_game(KINDS[kind]).state_dict()
    assert not [name for name, value in untouched.module.state_dict().items() if torch.equal(value, fresh[name])]
    assert untouched.module.images_seen == END
    skipped = {
        "Synthesis": ["discriminator/adversarial"],
        "Translation": ["generator/l1"],
        "CycleTranslation": ["discriminator/adversarial_back", "generator/adversarial"],
    }
    assert untouched.module.skipped == dict.fromkeys(skipped[kind], 1)
    assert all(len(pool.items) == 20 for pool in getattr(untouched.module, "pools", {}).values())
    assert [round(1000 * kimg) for kimg, _ in untouched.judge.history] == [32, 64, 96]
    assert untouched.checkpoints.best_kimg == 0.032
    assert len(untouched.journal.schedules) == END // BATCH
    varied = [len(set(values)) for values in zip(*untouched.journal.schedules.values(), strict=True)]
    steps = END // BATCH
    assert varied == [1, 1, steps, steps, 1, steps, steps, steps]  # lr, beta1, beta2 of D and of G, gamma, half-life


@pytest.mark.parametrize("seen", [True, False])
def test_all_ranks_go_on_from_where_the_first_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen: bool) -> None:
    """Another machine may not see the newest checkpoint yet, or still see one that the first does not take."""
    with pytest.raises(Killed):
        play(tmp_path, Kill(64, "on_train_batch_start"))
    first = tmp_path / "checkpoints" / "last.ckpt" if seen else None
    monkeypatch.setattr(SingleDeviceStrategy, "broadcast", lambda self, own, src=0: first)
    where: list[int] = []
    note = Callback()
    note.on_train_start = lambda trainer, module: where.append(module.images_seen)
    play(tmp_path, note, resume=not seen)
    assert (where[0] > 0) == seen


def test_a_resumed_run_goes_on_in_the_same_line_of_wandb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reading: Any
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    names = []
    for kill, resume in (([Kill(64, "on_train_batch_start")], False), ([], True)):
        logger = Wandb(tmp_path, {}, WandbOptions())
        try:
            play(tmp_path, *kill, resume=resume, logger=logger)
        except Killed:
            assert not resume
        logger.finish()
        names.append(logger.version)
    before, after = reading(tmp_path)
    assert names[0] == names[1] == before.of("run")[0].run_id == after.of("run")[0].run_id
    assert {metric.step_metric for start in (before, after) for metric in start.of("metric")} == {"kimg"}
    assert max(row["kimg"] for row in before.history) < min(row["kimg"] for row in after.history)


KEYS = st.sampled_from(["seed", "model", "data", "init_args", "lr", "betas", "trainer"])
VALUES = st.none() | st.booleans() | st.integers(0, 9) | st.floats(0, 1) | st.text("xyz", max_size=2)
TREES = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=12
)


def leaves(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where the values of a tree are."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else []
    for key, value in items:
        yield from leaves(value, (*path, key))
    if not isinstance(tree, dict | list):
        yield path


@given(tree=TREES, data=st.data())
def test_a_tree_differs_from_itself_nowhere_and_from_a_changed_one_just_there(tree: Any, data: st.DataObject) -> None:
    other = copy.deepcopy(tree)
    assert list(changes(tree, other)) == []
    places = [place for place in leaves(tree) if place]
    if not places:
        return
    *way, last = data.draw(st.sampled_from(places))
    parent, other_parent = tree, other
    for key in way:
        parent, other_parent = parent[key], other_parent[key]
    other_parent[last] = "another"
    key = ".".join(map(str, [*way, last]))
    assert list(changes(tree, other)) == [(key, parent[last], "another")]
    assert list(changes(other, tree)) == [(key, "another", parent[last])]


@given(old=TREES, new=TREES)
def test_trees_are_equal_where_no_change_is_found(old: Any, new: Any) -> None:
    assert (not list(changes(old, new))) == (old == new)


R1_CLASS = {"class_path": "ganlit.losses.regularizers.gradient.R1", "init_args": {"weight": 0.1, "every": 1}}
R2_CLASS = {"class_path": "ganlit.losses.regularizers.gradient.R2", "init_args": {"weight": 0.1, "every": 1}}


@pytest.mark.parametrize(
    ("key", "old", "new", "text"),
    [
        ("seed", 0, 1, "seed: 0 -> 1"),
        ("model.init_args.lr", 0.1, None, "model.init_args.lr: 0.1 -> null"),
        ("model.init_args.loss", R1_CLASS, R2_CLASS, "model.init_args.loss: R1 -> R2"),
        ("model.init_args.parts", [R1_CLASS], [R2_CLASS], "model.init_args.parts.0: R1 -> R2"),
        ("model.init_args.parts", [R1_CLASS], [R1_CLASS, R2_CLASS], "model.init_args.parts: [R1] -> [R1, R2]"),
        ("trainer.callbacks", None, [R1_CLASS], "trainer.callbacks: null -> [R1]"),
        ("fidelity", R1_CLASS, None, "fidelity: R1 -> null"),
        ("data", {"init_args": {}}, {"init_args": {"flip": True}}, "data.init_args.flip: unset -> True"),
        ("trainer", None, {"precision": "32-true"}, "trainer: null -> {precision}"),
    ],
)
def test_a_difference_is_told_in_a_few_words(key: str, old: Any, new: Any, text: str) -> None:
    def tree(value: Any) -> Any:
        for part in reversed(key.split(".")):
            value = {part: value}
        return value

    assert list(differences(tree(old), tree(new)).values()) == [text]


@pytest.mark.parametrize(
    ("key", "asks"),
    [
        ("seed", True),
        ("model.init_args.accumulate", True),
        ("model", True),
        ("data.init_args.batch", True),
        ("data.init_args.source", True),
        ("data.init_args.val_images", True),
        ("data.init_args.root", False),
        ("data.init_args.tick", False),
        ("fidelity.init_args.precision", True),
        ("fidelity.init_args.weights", False),
        ("fidelity.init_args.every", False),
        ("trainer.callbacks.0.init_args.to", True),
        ("trainer.precision", True),
        ("trainer.devices", False),
        ("trainer.log_every_n_steps", False),
        ("trainer.default_root_dir", False),
        ("recovery.attempts", False),
        ("kimg", False),
        ("name", False),
        ("modelling", False),
    ],
)
def test_what_the_result_depends_on_is_asked_for(key: str, asks: bool) -> None:
    assert guarded(key) is asks


@pytest.mark.parametrize(
    ("key", "other", "expected"),
    [
        ("model.init_args.lr", "model", True),
        ("model.init_args.lr", "model.init_args.lr", True),
        ("model.init_args.lr", "model.lr", True),
        ("model.init_args.lr", "model.init_args.l", False),
        ("model", "model.init_args.lr", False),
        ("model.init_args.lr", "", False),
    ],
)
def test_one_key_is_inside_another(key: str, other: str, expected: bool) -> None:
    assert inside(key, other) is expected


def test_brief_is_what_yaml_would_say() -> None:
    assert brief([None, "x", 0.1, {"a": 1, "b": 2}]) == "[null, x, 0.1, {a, b}]"


@pytest.mark.parametrize("content", ["seed: [", "", "- seed\n"])
def test_a_record_that_cannot_be_compared_is_told(content: str, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(content)
    with pytest.raises(UserError, match=r"config\.yaml is not a mapping in YAML, .*: mend it\.$"):
        compare(tmp_path, {"seed": 0}, [])


def test_a_run_without_a_record_is_gone_on_with(tmp_path: Path) -> None:
    compare(tmp_path, {"seed": 0}, [])


RATE = "model.init_args.discriminator_optimizer.init_args.lr"
FASTER = f"--{RATE}=0.01"


@pytest.fixture(scope="module")
def configuration() -> str:
    return tiny(trainer={"accelerator": "cpu", "callbacks": None}, fidelity=None)


@pytest.fixture
def go(ganlit: Any) -> Callable[..., Answer]:
    return partial(ganlit, "fit", "--config", "tiny.yaml", "--name")


def last_of(name: str) -> dict[str, Any]:
    return durable.load(Path(f"runs/{name}/checkpoints/last.ckpt"))


def test_resume_starts_where_there_is_nothing_and_else_goes_on(go: Any) -> None:
    first = go("twice", "--resume")
    assert (first.code, last_of("twice")["images_seen"]) == (0, 100)
    assert first.out.startswith("nothing to resume in runs/twice: starting\n")
    free = ["--kimg=0.2", "--trainer.log_every_n_steps=1", "--trainer.devices=1", "--data.tick=0.05", "--data.root=x"]
    second = go("twice", "--resume", *free)
    assert (second.code, last_of("twice")["images_seen"]) == (0, 200)
    assert second.out.startswith("resuming runs/twice/checkpoints/last.ckpt\n")
    assert "changed" not in second.out


@pytest.mark.parametrize(
    "way",
    [
        ["--resume"],
        ["--ckpt_path=last"],
        ["--ckpt_path=runs/asked/checkpoints/last.ckpt"],
        ["--ckpt_path=./runs/../runs/asked/checkpoints/last.ckpt"],
        ["--ckpt_path={place}/runs/asked/checkpoints/last.ckpt"],
        ["--resume.allow=seed"],
    ],
)
def test_other_settings_are_asked_for(way: list[str], go: Any, place: Path) -> None:
    if not Path("runs/asked").exists():
        assert go("asked").code == 0
    answer = go("asked", *(part.format(place=place) for part in way), FASTER, "--kimg=0.2")
    assert (answer.code, answer.err) == (
        2,
        f"error: runs/asked was trained with other settings, {RATE}: 0.002 -> 0.01: take them back, or go on with "
        f"--resume.allow={RATE}.\n",
    )
    assert last_of("asked")["images_seen"] == 100


@pytest.mark.parametrize(
    "allow", [[f"--resume.allow=seed,{RATE}"], [f"--resume.allow=[{RATE},seed]"], ["--resume", "--resume.allow=model"]]
)
def test_what_is_allowed_governs_and_the_old_settings_are_kept(allow: list[str], go: Any, tmp_path: Path) -> None:
    name = tmp_path.name
    assert go(name).code == 0
    answer = go(name, *allow, FASTER, "--kimg=0.2")
    assert answer.code == 0
    assert f"changed  {RATE}: 0.002 -> 0.01\n" in answer.out
    checkpoint = last_of(name)
    assert checkpoint["images_seen"] == 200
    assert [state["param_groups"][0]["lr"] for state in checkpoint["optimizer_states"]] == [0.01, 0.002]
    rates = [
        yaml.safe_load(Path(f"runs/{name}/{file}").read_text())["model"]["init_args"]["discriminator_optimizer"]
        for file in ("config.until-kimg000000.1.yaml", "config.yaml")
    ]
    assert [rate["init_args"]["lr"] for rate in rates] == [0.002, 0.01]


def test_a_run_is_fresh_unless_it_is_told_otherwise(go: Any) -> None:
    assert go("fresh", "--resume=false").code == 0
    record = yaml.safe_load(Path("runs/fresh/config.yaml").read_text())
    assert (record["resume"], record["ckpt_path"]) == (False, None)
    answer = go("fresh", "--config", "runs/fresh/config.yaml")
    assert (answer.code, "already holds a run" in answer.err) == (2, True)
    assert go("fresh", "--resume").code == 0
    again = yaml.safe_load(Path("runs/fresh/config.yaml").read_text())
    assert again == record


def test_the_checkpoint_of_another_run_begins_a_run_of_its_own(go: Any) -> None:
    assert go("parent").code == 0
    parent = Path("runs/parent/checkpoints/last.ckpt").read_bytes()
    answer = go("child", "--ckpt_path=runs/parent/checkpoints/last.ckpt", FASTER, "--kimg=0.2")
    assert (answer.code, last_of("child")["images_seen"]) == (0, 200)
    assert last_of("child")["optimizer_states"][0]["param_groups"][0]["lr"] == 0.01
    assert Path("runs/parent/checkpoints/last.ckpt").read_bytes() == parent
    assert {float(row["kimg"]) > 0.1 for row in rows_of(Path("runs/child"))} <= {True}


def test_help_explains_resume(place: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["fit", "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "Go on with runs/NAME where it was left; with --resume.allow=KEY,... under other settings." in text
