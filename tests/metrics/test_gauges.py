from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from ganlit.contracts import Reference, Sampled
from ganlit.data.audio.modality import AudioModality
from ganlit.data.images.modality import ImageModality
from ganlit.errors import UserError
from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.fidelity import frechet_distance, moments
from ganlit.metrics.gauges import Alone, Pairs, Sets, Shown, comparisons, named
from ganlit.metrics.groups import Group, Real, grouped
from ganlit.metrics.images.paired import psnr
from ganlit.metrics.images.views import View
from ganlit.metrics.inside import Others
from ganlit.metrics.paired import Comparison
from ganlit.metrics.passes import Pass
from ganlit.metrics.reality import Reality

HERE = torch.device("cpu")
IMAGES = ImageModality()


def grey(*shades: float) -> Tensor:
    """Items as networks take them."""
    return torch.tensor(shades).view(-1, 1, 1, 1).expand(-1, 1, 4, 4)


def shown(sampled: Sampled) -> Shown:
    both = dict.fromkeys(("target", "source"), Real(None, IMAGES))
    return Shown.of(sampled, torch.arange(2), None, "ema", both)


def test_ids_say_what_items_were_made_from() -> None:
    source, target, output, prior = grey(0, 0), grey(1, 1), grey(-1, -1), grey(0.5, 0.5)
    noise = shown(Sampled(target, output))
    assert (noise.made, noise.target, noise.aside) == ("ema", None, {})
    autoencoded = shown(Sampled(target, output, target))
    assert autoencoded.made == "ema-reconstruction"
    assert (int(autoencoded.items.max()), int(autoencoded.target.min())) == (0, 255)
    assert autoencoded.aside == {}
    translated = shown(Sampled(target, output, source, {"prior": prior}))
    assert (translated.made, translated.by("prior").made) == ("ema-translation", "ema-prior")
    assert translated.by("") is translated
    assert translated.by("prior").items.unique().tolist() == [191]
    assert translated.by("prior").target is None


def test_what_is_made_on_the_way_back_is_as_its_side_is_stored() -> None:
    class Halves(ImageModality):
        def to_stored(self, output: Tensor) -> Tensor:
            return super().to_stored(output) // 2

    sampled = Sampled(grey(1, 1), grey(0, 0), grey(-1, -1), {"back": grey(-1, 0), "back_reference": grey(1, 1)})
    sides = {"target": Real(None, IMAGES), "source": Real(None, Halves())}
    back = Shown.of(sampled, torch.arange(2), torch.tensor([1, 0]), "trained", sides).by("back")
    assert back.made == "trained-back"
    assert (back.items[:, 0, 0, 0].tolist(), back.target.unique().tolist()) == ([0, 64], [127])
    assert back.labels.tolist() == [1, 0]
    only = Shown.of(sampled, torch.arange(2), None, "ema", {"target": Real(None, IMAGES)})
    assert only.aside == {}  # nobody has asked for it


@pytest.fixture
def one(tiny: FeatureExtractor, reference: Reference) -> Callable[..., Pass]:
    """Metrics of sets against the halves."""
    real = Reality(reference, tiny, lambda text: None)

    def of(*metrics: str, making: str = "") -> Pass:
        return Pass(Group("sets", list(metrics), making=making), real)

    return of


def items(count: int, seed: int) -> Tensor:
    return torch.randint(256, (count, 3, 4, 4), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


def test_what_comes_from_the_prior_is_measured_apart(one: Callable[..., Pass], tiny: FeatureExtractor) -> None:
    output, prior = items(20, 1), items(20, 2)
    gauges = [Sets(one("fid"), (), 20), Sets(one("fid", making="prior"), (), 20, with_floor=True)]
    for gauge in gauges:
        gauge.prepare()
        for places in torch.arange(20).split(8):
            aside = {"prior": Shown(prior[places], places, None, "ema-prior")}
            gauge.add(Shown(output[places], places, None, "ema-reconstruction", output[places], aside))
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


def paired(*metrics: str, making: str = "") -> Pairs:
    return Pairs([Comparison(metric, ImageModality()) for metric in metrics], "halves-train@abcdef", HERE, making)


def test_pairs_are_a_mean_with_its_standard_error_in_any_order(reference: Reference) -> None:
    target, output = reference.items, reference.items // 2
    gauge = paired("psnr")
    for places in (torch.arange(30, 60), torch.arange(10), torch.arange(10, 30)):
        gauge.add(Shown(output[places], places, None, "ema-translation", target[places]))
    (found,) = gauge.finish()
    scores = psnr(output, target)
    assert named(reference) == "halves-train@abcdef"
    assert str(found.protocol) == "psnr60/-/-/halves-train@abcdef/ema-translation"
    assert found.value == float(scores.mean())  # bitwise, whoever saw which
    assert found.spread == pytest.approx(float(scores.std()) / 60**0.5)
    assert found.of == "60 pairs"


def test_pairs_of_the_way_back_and_as_they_are_asked_for(reference: Reference) -> None:
    target, output, back = reference.items, reference.items // 2, reference.items // 4
    gauges = [paired("psnr-crop1", "psnr"), paired("psnr-y", making="back")]
    for places in torch.arange(60).split(25):
        aside = {"back": Shown(back[places], places, None, "ema-back", target[places])}
        for gauge in gauges:
            gauge.add(Shown(output[places], places, None, "ema-translation", target[places], aside))
    found = {str(each.protocol): each.value for gauge in gauges for each in gauge.finish()}
    assert found == {
        "psnr60-crop1/-/-/halves-train@abcdef/ema-translation": float(psnr(output, target, View(border=1)).mean()),
        "psnr60/-/-/halves-train@abcdef/ema-translation": float(psnr(output, target).mean()),
        "psnr60-y/-/-/halves-train@abcdef/ema-back": float(psnr(back, target, View(luma=True)).mean()),
    }


def test_correspondences_are_sought_among_all_items_in_any_order() -> None:
    target = items(60, 4)
    output = target.clone()
    output[:15] = target[1:16]  # mistaken for the next
    gauge = paired("matched")
    for places in (torch.arange(30, 60), torch.arange(10), torch.arange(10, 30)):
        gauge.add(Shown(output[places], places, None, "ema-translation", target[places]))
    (found,) = gauge.finish()
    assert (str(found.protocol), found.value) == ("matched60-32px/-/-/halves-train@abcdef/ema-translation", 75.0)
    with pytest.raises(UserError, match="matched-32px compares each item with all others: bring them to one size"):
        gauge.add(Shown(output[:2, :, 1:], torch.arange(2), None, "ema-translation", target[:2, :, 1:]))


def waves(count: int) -> Tensor:
    """Stored sound [N, 1, 8000]."""
    return (3000 * torch.randn(count, 1, 8000, generator=torch.Generator().manual_seed(5))).to(torch.int16)


def test_items_by_themselves_need_no_target(monkeypatch: pytest.MonkeyPatch) -> None:
    opinions = SimpleNamespace(opinions=lambda items: items[:, 0, :3].double())
    monkeypatch.setattr("ganlit.metrics.audio.dnsmos.listener", lambda rate: opinions)
    groups, sound = grouped(["dnsmos-bak:prior"], "metrics", AudioModality()), waves(5)
    real = {"target": Real(Reference("talk", "abcdef0123", sound, torch.zeros(5), ()), AudioModality(16_000))}
    others = Others(comparisons(groups, real, HERE), {}, None, 1, real, HERE)
    gauge = others.gauge(groups[0])
    assert isinstance(gauge, Alone)
    for places in (torch.tensor([3, 4]), torch.arange(3)):
        aside = {"prior": Shown(sound[places], places, None, "ema-prior")}
        gauge.add(Shown(0 * sound[places], places, None, "ema-translation", aside=aside))
    (found,) = gauge.finish()
    assert str(found.protocol) == "dnsmos5-bak-269fbebd-16000hz/-/-/-/ema-prior"
    assert (found.value, found.of) == (float(sound[:, 0, 1].double().mean()), "5 items")


def test_pairs_of_which_a_metric_says_nothing_are_no_part_of_its_mean() -> None:
    """Whatever is left out, the id stays: it counts all of them."""
    target = waves(4)
    target[1], output = 0, (target * 0.9).to(torch.int16)
    gauge = Pairs([Comparison(metric, AudioModality(16_000)) for metric in ("snr", "mel")], "talk@abcdef", HERE)
    gauge.add(Shown(output, torch.arange(4), None, "ema-translation", target))
    snr, mel = gauge.finish()
    assert str(snr.protocol) == "snr4-16000hz/-/-/talk@abcdef/ema-translation"
    assert (snr.value, snr.of, mel.of) == (pytest.approx(20, abs=0.05), "3 of 4 pairs", "4 pairs")
    silent = Pairs([Comparison("snr", AudioModality(16_000))], "talk@abcdef", HERE)
    silent.add(Shown(output, torch.arange(4), None, "ema-translation", torch.zeros_like(target)))
    assert silent.finish() == []


def test_pairs_that_cannot_be_compared_are_told_before_any_is_made(reference: Reference) -> None:
    real = {"target": Real(reference, IMAGES)}
    assert comparisons(grouped(["fid"], "metrics"), real, HERE) == {}
    assert comparisons(grouped(["fid", "psnr"], "metrics"), real, HERE).keys() == {"psnr"}
    for metric, said in {
        "ssim": "SSIM needs images of 11 pixels a side at least, these have 4 x 4",
        "psnr-y-crop2": "1 pixel a side at least without a border of 2, these have 4 x 4: crop less",
    }.items():
        with pytest.raises(UserError, match=said):
            comparisons(grouped(["psnr", metric], "metrics"), real, HERE)
    real["source"] = Real(reference._replace(items=reference.items[:, :1]), IMAGES)
    comparisons(grouped(["psnr-y", "psnr:back"], "metrics"), real, HERE)
    with pytest.raises(UserError, match="PSNR of Y is that of RGB images, these have 1 channel:"):
        comparisons(grouped(["psnr-y:back"], "metrics"), real, HERE)


@pytest.mark.usefixtures("offline")
def test_the_weights_of_lpips_are_missed_before_anything_is_made(reference: Reference) -> None:
    with pytest.raises(UserError, match=r"lpips: https://\S+ cannot be downloaded .*put that file there yourself"):
        comparisons(grouped(["lpips"], "metrics"), {"target": Real(reference, IMAGES)}, HERE)
