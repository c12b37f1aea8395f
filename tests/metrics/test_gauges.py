from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from ganlit.contracts import Reference, Sampled
from ganlit.data.images.modality import ImageModality
from ganlit.errors import UserError
from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.fidelity import frechet_distance, moments
from ganlit.metrics.gauges import Pairs, Sets, Shown, comparison, named
from ganlit.metrics.groups import Group, grouped
from ganlit.metrics.images.paired import psnr
from ganlit.metrics.paired import Comparison
from ganlit.metrics.passes import Pass
from ganlit.metrics.reality import Reality

HERE = torch.device("cpu")
IMAGES = ImageModality()


def grey(*shades: float) -> Tensor:
    """Items as networks take them."""
    return torch.tensor(shades).view(-1, 1, 1, 1).expand(-1, 1, 4, 4)


def shown(sampled: Sampled) -> Shown:
    return Shown.of(sampled, torch.arange(2), None, "ema", IMAGES)


def test_ids_say_what_items_were_made_from() -> None:
    source, target, output, prior = grey(0, 0), grey(1, 1), grey(-1, -1), grey(0.5, 0.5)
    noise = shown(Sampled(target, output))
    assert (noise.made, noise.target, noise.prior) == ("ema", None, None)
    autoencoded = shown(Sampled(target, output, target))
    assert autoencoded.made == "ema-reconstruction"
    assert (int(autoencoded.items.max()), int(autoencoded.target.min())) == (0, 255)
    assert autoencoded.prior is None
    translated = shown(Sampled(target, output, source, {"prior": prior}))
    assert (translated.made, translated.made_from_prior) == ("ema-translation", "ema-prior")
    assert translated.prior.unique().tolist() == [191]


@pytest.fixture
def one(tiny: FeatureExtractor, reference: Reference) -> Callable[..., Pass]:
    """Metrics of sets against the halves."""
    real = Reality(reference, tiny, lambda text: None)

    def of(*metrics: str, prior: bool = False) -> Pass:
        return Pass(real, Group("sets", list(metrics), prior=prior))

    return of


def items(count: int, seed: int) -> Tensor:
    return torch.randint(256, (count, 3, 4, 4), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


def test_what_comes_from_the_prior_is_measured_apart(one: Callable[..., Pass], tiny: FeatureExtractor) -> None:
    output, prior = items(20, 1), items(20, 2)
    gauges = [Sets(one("fid"), (), 20), Sets(one("fid", prior=True), (), 20, with_floor=True)]
    for gauge in gauges:
        gauge.prepare()
        for places in torch.arange(20).split(8):
            gauge.add(
                Shown(output[places], places, None, "ema-reconstruction", output[places], prior[places], "ema-prior")
            )
    found = [each for gauge in gauges for each in gauge.finish()]
    assert [(each.metric, each.protocol.made) for each in found] == [
        ("fid", "ema-reconstruction"),
        ("fid", "ema-prior"),
        ("floor-fid", "real"),
    ]
    real = moments(tiny(gauges[0].real.reference.items)["pool"])
    for each, seen in zip(found, (output, prior), strict=False):
        assert each.value == pytest.approx(frechet_distance(*moments(tiny(seen)["pool"]), *real), rel=1e-6)


def test_who_is_shown_real_items_has_no_floor(one: Callable[..., Pass]) -> None:
    gauge = Sets(one("fid"), (), 20, with_floor=True)
    gauge.prepare()
    gauge.add(Shown(items(20, 1), torch.arange(20), None, "ema-reconstruction", items(20, 1)))
    assert [each.metric for each in gauge.finish()] == ["fid"]


def test_a_metric_of_no_real_items_does_not_look_at_them(one: Callable[..., Pass], tiny: FeatureExtractor) -> None:
    gauge = Sets(one("is"), (), 20)
    gauge.prepare()
    assert tiny.seen == []
    gauge.add(Shown(items(20, 1), torch.arange(20), None, "ema"))
    assert [each.metric for each in gauge.finish()] == ["is"]
    Sets(one("is", "fid"), (), 20).prepare()
    assert sum(tiny.seen) == 20 + 60


def test_pairs_are_a_mean_with_its_standard_error_in_any_order(reference: Reference) -> None:
    target, output = reference.items, reference.items // 2
    gauge = Pairs(Comparison(["psnr"]), named(reference), HERE)
    for places in (torch.arange(30, 60), torch.arange(10), torch.arange(10, 30)):
        gauge.add(Shown(output[places], places, None, "ema-translation", target[places]))
    (found,) = gauge.finish()
    scores = psnr(output, target)
    assert str(found.protocol) == "psnr60/-/-/halves-train@abcdef/ema-translation"
    assert found.value == float(scores.mean())  # bitwise, whoever saw which
    assert found.spread == pytest.approx(float(scores.std()) / 60**0.5)
    assert found.of == "60 pairs"


def test_pairs_that_cannot_be_compared_are_told_before_any_is_made(reference: Reference) -> None:
    assert comparison(grouped(["fid"], "metrics"), reference, IMAGES, HERE) is None
    assert comparison(grouped(["fid", "psnr"], "metrics"), reference, IMAGES, HERE).measures.keys() == {"psnr"}
    with pytest.raises(UserError, match="SSIM needs images of 11 pixels a side at least, these have 4 x 4"):
        comparison(grouped(["psnr", "ssim"], "metrics"), reference, IMAGES, HERE)


@pytest.mark.usefixtures("offline")
def test_the_weights_of_lpips_are_missed_before_anything_is_made(reference: Reference) -> None:
    with pytest.raises(UserError, match=r"lpips: https://\S+ cannot be downloaded .*put that file there yourself"):
        comparison(grouped(["lpips"], "metrics"), reference, IMAGES, HERE)
