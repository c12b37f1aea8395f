from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from audited import Mover, audited, coding, cycle, synthesis, translation
from points import PointDiscriminator, PointGenerator
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from ganlit.compute.strategy import MeanOverRanks
from ganlit.contracts import Labelled, Made, Pair, Verdict
from ganlit.errors import UserError
from ganlit.losses.adversarial import Hinge, LeastSquares, NonSaturating, Relativistic, RelativisticAverage
from ganlit.losses.base import Attempt
from ganlit.losses.reconstruction import L1, L2
from ganlit.losses.regularizers.generator import PathLength
from ganlit.losses.regularizers.gradient import R1, GradientPenalty
from ganlit.losses.weight import AdaptiveWeight
from ganlit.networks.images.stylegan import StyleDiscriminator, StyleGenerator
from ganlit.networks.quantizers import ScalarQuantizer, VectorQuantizer
from ganlit.studies.audit.equality import Equality
from ganlit.studies.audit.means import averages
from ganlit.tasks.clocked import PLAYERS
from ganlit.tasks.synthesis import Synthesis
from ganlit.tasks.translation import Translation


def styles(**options: Any) -> Any:
    torch.manual_seed(0)
    adam = partial(torch.optim.Adam, lr=1e-3)
    size = {"channel_base": 64, "channel_max": 4, "channels": 1, "classes": 3}
    module = Synthesis(
        generator=StyleGenerator(16, z_dim=4, w_dim=4, mapping_depth=1, **size, **options),
        discriminator=StyleDiscriminator(16, **size),
        loss=NonSaturating(),
        generator_optimizer=adam,
        discriminator_optimizer=adam,
    )
    images = torch.randn(12, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    return audited(module, Labelled(images, torch.arange(12) % 3))


class Normed(PointDiscriminator):
    def __init__(self) -> None:
        super().__init__(width=8)
        self.insert(2, nn.BatchNorm1d(8))


class Centred(PointDiscriminator):
    """Compares the items of a batch without a layer for it."""

    def forward(self, item: Tensor, label: Tensor) -> Tensor:
        logits = super().forward(item, label)
        return logits - logits.mean()


class Following(nn.Module):
    """Subtracts a mean that follows its batches."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(8))

    def forward(self, x: Tensor) -> Tensor:
        self.mean.lerp_(x.detach().mean(dim=0).to(self.mean), 0.1)
        return x - self.mean.clone()


class Lagging(Following):
    """Subtracts the mean of the batches before."""

    def forward(self, x: Tensor) -> Tensor:
        before = self.mean.clone()
        super().forward(x)
        return x - before


def normalised(width: int = 64) -> PointDiscriminator:
    made = PointDiscriminator(width)  # whose largest singular values are close: they are not found at once
    made[2] = spectral_norm(made[2])
    return made


def following(layer: type[Following] = Following) -> PointDiscriminator:
    made = PointDiscriminator(width=8)
    made.insert(1, layer())
    return made


SOUND = {
    "points": synthesis,
    "penalties": partial(synthesis, regularizers=[R1(0.1, every=2), GradientPenalty(0.5)]),
    "critic": partial(synthesis, n_critic=2, generator_clip=0.01),
    "relativistic": partial(synthesis, loss=Relativistic()),
    "dropout": lambda: synthesis(discriminator=dropping()),
    "translation": translation,
    "cycle": cycle,
    "adaptive": partial(translation, adversarial=AdaptiveWeight(0.5, start=1.0, lead=1.0), conditional=False),
}


def test_a_loss_that_compares_items_is_named_and_no_fault() -> None:
    found = Equality(synthesis(loss=RelativisticAverage())).micro_batches
    assert found.status == "does not apply"
    assert "RelativisticAverage compares the items of a micro-batch" in found.seen


def dropping() -> PointDiscriminator:
    made = PointDiscriminator(width=8)
    made.insert(2, nn.Dropout(0.5))
    return made


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_game_is_equal_in_parts(name: str) -> None:
    found = Equality(SOUND[name]()).micro_batches
    assert found.status == "ok", found
    assert float(found.seen.rpartition(" ")[2]) < 1e-12


@pytest.mark.parametrize("name", ["points", "dropout", "adaptive"])
def test_a_sound_game_is_equal_on_two_processes(name: str) -> None:
    found = Equality(SOUND[name]()).processes()
    assert found.status == "ok", found
    assert float(found.seen.rpartition(" ")[2]) < 1e-12


@pytest.mark.parametrize(
    ("discriminator", "culprit", "why"),
    [
        (Normed, "discriminator.2 (BatchNorm1d)", "beside it"),
        (partial(Centred, width=8), "discriminator (Centred)", "beside it"),
        (following, "discriminator.1 (Following)", "beside it"),
        (partial(following, Lagging), "discriminator.1 (Lagging)", "the calls before it"),
        (partial(normalised, 12), "discriminator.2.parametrizations.weight.0 (_SpectralNorm)", "the calls before it"),
        (normalised, "discriminator.2.parametrizations.weight.0 (_SpectralNorm)", "depends on the calls before"),
    ],
    ids=["BatchNorm", "mean", "following", "lagging", "rows as many as items, twice", "spectral norm"],
)
def test_the_layer_that_prevents_it_is_named_and_no_other(discriminator: Any, culprit: str, why: str) -> None:
    torch.manual_seed(0)
    found = Equality(synthesis(discriminator=discriminator())).micro_batches
    assert found.status == "does not apply"
    assert found.seen.startswith(f"{culprit}: ")
    assert why in found.seen
    assert float(found.seen.rpartition(" ")[2]) < 1e-12


def test_minibatch_statistics_are_named_in_both_checks() -> None:
    equality = Equality(styles(style_mixing=0.5))
    for found in (equality.micro_batches, equality.processes()):
        assert found.status == "does not apply"
        assert found.seen.startswith("discriminator.minibatch_std (MinibatchStd): an item's answer")
        assert float(found.seen.rpartition(" ")[2]) < 1e-12


def test_joined_batch_normalisation_is_equal_on_processes_alone() -> None:
    torch.manual_seed(0)
    game = synthesis(discriminator=Normed())
    assert "sync_batchnorm true joins" in Equality(game).processes().seen
    joined = Equality(game.__class__(game.module, game.batch, game.device, joined=True))
    assert joined.processes().status == "ok"
    assert joined.micro_batches.status == "does not apply"


def test_a_mean_that_a_penalty_follows_is_named() -> None:
    game = synthesis(generator_regularizers=[PathLength(weight=1.0, every=1)])
    found = Equality(game).micro_batches
    assert found.status == "does not apply"
    assert "generator/pathlength is" in found.seen
    assert "PathLength follows a mean over its batches" in found.seen


class Summed(NonSaturating):
    def discriminator(self, verdict: Verdict) -> Tensor:
        return super().discriminator(verdict) * len(verdict.real)


class Varied(L1):
    """Weighs by what is known of the whole batch alone."""

    def forward(self, attempt: Attempt) -> Tensor:
        return super().forward(attempt) * attempt.handed("spread", self)


class Spreading(Translation):
    """Hands out a number of the batch."""

    def translate(self, pair: Pair) -> Made:
        output, _ = super().translate(pair)
        return Made(output, {"spread": output.std()})


class Blending(Translation):
    """Has each output a little of the mean of all."""

    def translate(self, pair: Pair) -> Made:
        output, side = super().translate(pair)
        return Made(output + output.mean(dim=0), side)


@pytest.mark.parametrize(
    "quantizer",
    [
        partial(VectorQuantizer, 64, 4),  # more codes than vectors: they all become codes
        partial(VectorQuantizer, 2, 4, start=False, half_life=0.01),
        partial(VectorQuantizer, 3, 4, code_dim=2, cosine=True),
    ],
    ids=["many", "following", "few"],
)
def test_a_codebook_that_learns_from_its_batches_is_named(quantizer: Any) -> None:
    torch.manual_seed(0)
    equality = Equality(coding(quantizer(), n_critic=2, discriminator=Normed()))
    found = equality.micro_batches
    assert found.status == "does not apply"
    assert "discriminator.2 (BatchNorm1d)" in found.seen
    assert "generator.bottleneck (VectorQuantizer)" in found.seen
    found = equality.processes()  # where it joins what all see
    assert found.status == "does not apply"
    assert found.seen.startswith("discriminator.2 (BatchNorm1d): ")
    assert "Quantizer" not in found.seen


@pytest.mark.parametrize("quantizer", [ScalarQuantizer([8, 5, 5]), VectorQuantizer(4, 3, start=False)])
def test_a_codebook_that_stands_still_is_equal_in_parts(quantizer: Any) -> None:
    assert Equality(coding(quantizer)).micro_batches.status == "ok"


def test_no_loss_is_blamed_for_what_it_is_given(fails: Any) -> None:
    found = Equality(translation(Blending)).micro_batches
    fails(found, "discriminator/adversarial is", "NonSaturating is a mean over items, so what it is given")


def test_where_nothing_is_shown_both_are_suspected(fails: Any) -> None:
    found = Equality(translation(Spreading, criteria=[Varied()])).micro_batches
    fails(found, "generator/varied is", "Either Varied takes no mean over items there, or what it is given")


@pytest.mark.parametrize(
    "part",
    [
        *(loss() for loss in (NonSaturating, Relativistic, Hinge, LeastSquares)),
        R1(1.0),
        GradientPenalty(1.0),
        L1(),
        L2(),
    ],
    ids=lambda part: type(part).__name__,
)
def test_means_over_items_are_known(part: Any) -> None:
    for player in PLAYERS:
        assert averages(part, player, torch.randn(6, 3, 4, 4)) is True


def test_a_loss_that_is_no_mean_is_named(fails: Any) -> None:
    equality = Equality(synthesis(loss=Summed(), regularizers=[]))
    for found in (equality.micro_batches, equality.processes()):
        fails(found, "discriminator/adversarial is", "Summed is no mean over items")


def test_a_process_that_fails_says_why() -> None:
    class Failing(Mover):
        def forward(self, source: Tensor, label: Tensor) -> Tensor:
            if torch.distributed.is_initialized():
                raise OSError("out of luck")
            return super().forward(source, label)

    with pytest.raises(UserError, match=r"process 0 fails \(OSError: out of luck"):
        Equality(translation(generator=Failing())).processes()


def test_processes_get_a_limited_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganlit.studies.audit.ranks.PATIENCE", 0.0)
    with pytest.raises(UserError, match="not done after 0 seconds"):
        Equality(synthesis()).processes()


def test_one_item_has_no_parts() -> None:
    module = synthesis().module
    game = audited(module, Labelled(torch.randn(1, 2), torch.zeros(1, dtype=torch.int64)))
    assert Equality(game).micro_batches.status == "does not apply"


def test_a_batch_norm_generator_is_named_beside_the_rest() -> None:
    generator = PointGenerator(width=8)
    generator.insert(1, nn.BatchNorm1d(8))
    torch.manual_seed(0)
    found = Equality(synthesis(generator=generator, discriminator=Normed())).micro_batches
    assert found.seen.startswith("discriminator.2 (BatchNorm1d), generator.1 (BatchNorm1d): ")


def test_processes_that_keep_to_themselves_are_told_of(fails: Any) -> None:
    class Lonely(Synthesis):
        def agree(self, terms: Any, gradients: Any) -> Any:
            return torch.ones(()), None

    equality = Equality(synthesis(Lonely))
    assert equality.micro_batches.status == "ok"
    fails(equality.processes(), "discriminator/adversarial is", "play() call agree()")


class Joined(Following):
    """Centres by the mean of the batch of all processes."""

    def forward(self, x: Tensor) -> Tensor:
        return x - MeanOverRanks.apply(x.mean(dim=0))


def test_a_layer_that_joins_processes_is_blamed_for_micro_batches_alone() -> None:
    torch.manual_seed(0)
    discriminator = PointDiscriminator(width=8)
    discriminator.insert(1, Joined())
    equality = Equality(synthesis(discriminator=discriminator))
    assert equality.micro_batches.seen.startswith("discriminator.1 (Joined): ")
    assert equality.processes().status == "ok"
    discriminator.insert(3, nn.BatchNorm1d(8))
    found = Equality(synthesis(discriminator=discriminator)).processes()
    assert (found.status, found.seen.startswith("discriminator.3 (BatchNorm1d): ")) == ("does not apply", True)
