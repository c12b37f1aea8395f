from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from ganlit.contracts import Reference
from ganlit.data.audio.modality import AudioModality
from ganlit.data.images.modality import ImageModality
from ganlit.errors import UserError
from ganlit.metrics.groups import Group, Real, grouped, kinds, refuse, sides
from ganlit.metrics.measure import BETTER

IMAGES = ImageModality()


def test_metrics_that_look_alike_stand_together_in_the_order_of_the_first() -> None:
    names = [
        "psnr",
        "fid",
        "fid@dinov2",
        "kid:prior",
        "prdc",
        "elbo",
        "kid@dinov2",
        "codes",
        "iwae",
        "fid:prior",
        "ssim-y-crop4",
        "fid:back",
        "psnr-y:back",
        "psnr-y",
    ]
    assert grouped(names, "metrics", IMAGES) == [
        Group("pairs", ["psnr", "ssim-y-crop4", "psnr-y"]),
        Group("sets", ["fid", "prdc"], "inception"),
        Group("sets", ["fid", "kid"], "dinov2-vit-l-14"),
        Group("sets", ["kid", "fid"], "inception", making="prior"),
        Group("bounds", ["elbo", "iwae"]),
        Group("codes", ["codes"]),
        Group("sets", ["fid"], "inception", making="back"),
        Group("pairs", ["psnr-y"], making="back"),
    ]


def test_an_extractor_stands_behind_the_prior() -> None:
    assert grouped(["fid:prior@torchvision:resnet18"], "metrics") == [
        Group("sets", ["fid"], "torchvision:resnet18", making="prior")
    ]


def test_sound_has_metrics_of_its_own() -> None:
    names = ["fad", "pesq-nb", "dnsmos", "fad@resemblyzer", "kid@ge2e", "dnsmos-sig:prior", "vuv-crepe:back"]
    assert grouped(names, "metrics", AudioModality(16_000)) == [
        Group("sets", ["fid"], AudioModality.extractor),
        Group("pairs", ["pesq-nb"]),
        Group("alone", ["dnsmos"]),
        Group("sets", ["fid", "kid"], "ge2e"),
        Group("alone", ["dnsmos-sig"], making="prior"),
        Group("pairs", ["vuv-crepe"], making="back"),
    ]
    for wrong, said in {
        "psnr": "there is no metric psnr of audio",
        "dnsmos-ovrl": "dnsmos-ovrl: write dnsmos, or dnsmos-sig, dnsmos-bak",
        "dnsmos@ge2e": "dnsmos knows no extractors: write dnsmos:prior, dnsmos:back or dnsmos alone",
    }.items():
        with pytest.raises(UserError, match=said):
            grouped([wrong], "metrics", AudioModality(16_000))
    with pytest.raises(UserError, match=r"there is no metric fad of images; did you mean fid\?"):
        grouped(["fad"], "metrics", IMAGES)
    refuse(grouped(["dnsmos"], "metrics"), object(), takes_data=False, key="metrics")  # of noise it can be had, too


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["fidd"], r"fidelity\.metrics: there is no metric fidd; did you mean fid\?"),
        (["lpip"], r"there is no metric lpip; did you mean lpips\?"),
        (
            ["zzz"],
            r"there is no metric zzz; there are fid, kid, is, .*ssim, lpips, .*oracle-nll, codes, .*, pathlength\.",
        ),
        (["fid", "fid"], r"fidelity\.metrics: fid is named twice"),
        (["fid:prior", "fid:prior"], r"fidelity\.metrics: fid:prior is named twice"),
        (["fid@dinov2", "fid@dinov2-vit-l-14"], r"fidelity\.metrics: fid@dinov2-vit-l-14 is named twice"),
        (["elbo", "elbo"], r"elbo is named twice"),
        (["fid@"], r"fidelity\.metrics: fid@ names no extractor"),
        (["fid@@"], r"fidelity\.metrics: fid@@ names no extractor"),
        (["fid@dinov2@clip"], r"fidelity\.metrics: fid@dinov2@clip names two extractors"),
        (["@dinov2"], r"there is no metric '@dinov2'"),
        ([""], r"there is no metric ''"),
        ([], r"fidelity\.metrics is empty"),
        (["fid:"], r"fid: asks for items of nothing: write fid:prior, fid:back or fid alone"),
        (["fid:posterior"], r"fid:posterior asks for items of posterior: write fid:prior, fid:back or fid alone"),
        (["psnr@clip"], r"psnr@clip: psnr knows no extractors: write psnr:back or psnr alone"),
        (["psnr-y:prior"], r"psnr-y:prior asks for items of prior: write psnr-y:back or psnr-y alone"),
        (["iwae:prior"], r"iwae:prior asks for items of prior: write iwae alone"),
        (["psnr-crop4", "psnr-crop4"], r"psnr-crop4 is named twice"),
        (["psnr-crop4-y"], r"fidelity\.metrics: psnr looks at images as psnr\[-y\]\[-cropN\], such as psnr-y-crop4"),
        (["ssim-crop0"], r"fidelity\.metrics: ssim looks at images as"),
        (["fid-y"], r"fidelity\.metrics: fid-y: fid is asked for by its name alone: write fid\."),
        (["psnry"], r"there is no metric psnry; did you mean psnr\?"),
    ],
)
def test_names_that_mean_nothing_are_refused(names: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        grouped(names, "fidelity.metrics")


def test_a_modality_without_pairs_has_no_psnr() -> None:
    points = SimpleNamespace(name="points", extractor="plain")
    assert "psnr" not in kinds(points)
    with pytest.raises(UserError, match="there is no metric psnr of points"):
        grouped(["psnr"], "fidelity.metrics", points)


GENERATORS = {
    "codes": SimpleNamespace(codes=16),
    "likelihood": SimpleNamespace(likelihood=None),
    "prior": SimpleNamespace(prior=None),
    "back": SimpleNamespace(back=None),
}


@pytest.mark.parametrize(
    ("metric", "has", "said"),
    [
        ("codes", "codes", "SimpleNamespace has no codebook"),
        ("iwae", "likelihood", "SimpleNamespace says no likelihood"),
        ("kid:prior", "prior", "SimpleNamespace knows no prior over its latents"),
        ("fid:back", "back", "SimpleNamespace makes nothing in the other direction"),
        ("psnr:back", "back", "SimpleNamespace makes nothing in the other direction"),
    ],
)
def test_a_generator_is_not_asked_for_what_it_has_not(metric: str, has: str, said: str) -> None:
    groups = grouped([metric, "fid", "psnr"], "fidelity.metrics")
    for name, generator in GENERATORS.items():
        if name == has:
            refuse(groups, generator, True, "fidelity.metrics")
        else:
            with pytest.raises(UserError, match=rf"fidelity\.metrics asks for {metric}, but {said}.*: leave it out"):
                refuse(groups, generator, True, "fidelity.metrics")


@pytest.mark.parametrize("metric", ["psnr-y", "lpips", "codes", "elbo", "fid:prior", "fid:back"])
def test_what_comes_from_noise_has_no_target_and_no_codes(metric: str) -> None:
    everything = SimpleNamespace(codes=16, likelihood=None, prior=None, back=None)
    refuse(grouped(["fid", "prdc@clip"], "--metrics"), everything, False, "--metrics")
    with pytest.raises(UserError, match=f"--metrics asks for {metric}, but SimpleNamespace makes items from noise"):
        refuse(grouped(["fid", metric], "--metrics"), everything, False, "--metrics")


def test_an_empty_codebook_is_none() -> None:
    with pytest.raises(UserError, match="has no codebook"):
        refuse(grouped(["codes"], "--metrics"), SimpleNamespace(codes=0), True, "--metrics")


def test_of_each_metric_one_knows_whether_more_is_better() -> None:
    others = {
        "prdc": "precision",
        "probe": "probe-is",
        "memorisation": "authenticity",
        "codes": "code-use",
        "motion": "velocity",
        "oracle-nll": "oracle",
    }
    assert {others.get(name, name) for name in kinds()} == set(BETTER)


class TwoSides:
    """Data of which the sources are others than the targets."""

    in_pairs = True

    modality = IMAGES
    reference = "targets"

    def reference_of(self, field: str) -> str:
        return {"source": "sources"}[field]

    def modality_of(self, field: str) -> ImageModality:
        return {"source": IMAGES}[field]


def test_sources_are_looked_at_where_metrics_ask_for_them() -> None:
    one, both = (sides(grouped(names, "metrics"), TwoSides()) for names in (["fid", "psnr"], ["fid", "psnr:back"]))
    assert one == {"target": Real("targets", IMAGES)}
    assert both == {"target": Real("targets", IMAGES), "source": Real("sources", IMAGES)}


class HeldOut:
    """Data of which some are trained on, and others measured."""

    modality = IMAGES
    reference = Reference("digits-held5", "1", torch.zeros(5), torch.zeros(5), ())

    def trained_of(self, field: str) -> Reference:
        return {"target": Reference("digits-trained9", "2", torch.zeros(9), torch.zeros(9), ())}[field]


def test_what_was_trained_on_is_looked_at_by_who_looks_for_copies() -> None:
    assert sides(grouped(["fid"], "metrics"), HeldOut())["target"].trained is None
    real = sides(grouped(["fid", "memorisation"], "metrics"), HeldOut())["target"]
    assert [real.held_against(metric).name for metric in ("fid", "memorisation")] == ["digits-held5", "digits-trained9"]
    some = real.subset(4)
    assert [some.held_against(metric).name for metric in ("fid", "memorisation")] == [
        "digits-held5-4",
        "digits-trained9-4",
    ]


def test_where_nobody_knows_the_target_of_a_source_none_is_compared() -> None:
    data = TwoSides()
    data.in_pairs = False
    data.reference = SimpleNamespace(name="zebras")
    assert len(sides(grouped(["fid", "fid:back", "kept"], "metrics"), data)) == 2
    for metric in ("psnr-crop4", "psnr:back", "matched"):
        with pytest.raises(UserError, match=f"^{metric} compares what is made .* which nobody knows of zebras: leave"):
            sides(grouped(["fid", metric], "metrics"), data)
