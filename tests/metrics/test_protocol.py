from __future__ import annotations

import pytest

from ganlit.metrics.protocol import Protocol, abbreviated, alike, aside, difference, meant, metric_of, shown, title

FID = Protocol("fid", 2000, "", "inception-2015-12-05@1a2b3c4d/legacy", "digits-train@9f8e7d", "ema")


def test_an_id_says_everything() -> None:
    assert str(FID) == "fid2k/inception-2015-12-05@1a2b3c4d/legacy/digits-train@9f8e7d/ema"
    variant = FID._replace(metric="share", count=150, variant="k5", part="tabby/cat")
    assert str(variant) == "share150-k5/inception-2015-12-05@1a2b3c4d/legacy/digits-train@9f8e7d/ema/tabby|cat"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"count": 50_000}, "metric, count and variant fid2k, not fid50k"),
        ({"metric": "kid", "variant": "100x1000"}, "metric, count and variant fid2k, not kid2k-100x1000"),
        ({"extractor": "dinov2@0/legacy"}, "extractor and weights inception-2015-12-05@1a2b3c4d, not dinov2@0"),
        ({"extractor": "inception-2015-12-05@1a2b3c4d/clean"}, "resize legacy, not clean"),
        ({"reference": "digits-train@000000"}, "reference digits-train@9f8e7d, not digits-train@000000"),
        ({"made": "ema-psi0.7"}, "making ema, not ema-psi0.7"),
        ({"part": "7"}, "class none, not 7"),
    ],
)
def test_unlike_ids_say_in_what_they_differ(change: dict[str, object], said: str) -> None:
    assert difference(str(FID), str(FID._replace(**change))) == said


def test_like_ids_do_not_differ() -> None:
    assert difference(str(FID), str(FID)) is None


def test_all_that_differs_is_said() -> None:
    said = difference(str(FID), str(FID._replace(count=1, made="trained")))
    assert said == "metric, count and variant fid2k, not fid1; making ema, not trained"


@pytest.mark.parametrize("metric", ["fid", "is", "class-fid", "probe-is", "nearest-real", "floor-fid"])
@pytest.mark.parametrize("variant", ["", "k5", "100x1000"])
def test_an_id_tells_its_metric(metric: str, variant: str) -> None:
    assert metric_of(str(FID._replace(metric=metric, variant=variant))) == metric


@pytest.mark.parametrize(("count", "short"), [(250, "250"), (2000, "2k"), (50_000, "50k"), (1500, "1500"), (0, "0")])
def test_thousands_are_abbreviated(count: int, short: str) -> None:
    assert abbreviated(count) == short


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"count": 9, "made": "real", "reference": "digits-test@000000"}, True),
        ({"extractor": "dinov2@0/legacy"}, False),
        ({"extractor": "inception-2015-12-05@1a2b3c4d/clean"}, False),
        ({"metric": "kid"}, False),
        ({"part": "7"}, False),
        ({"made": "ema-prior"}, False),
        ({"made": "real", "part": "7"}, False),
    ],
)
def test_what_one_axis_can_show_is_alike(change: dict[str, object], expected: bool) -> None:
    assert alike(str(FID), str(FID._replace(**change))) is expected


@pytest.mark.parametrize(
    ("name", "called"),
    [
        (str(FID), "FID-2k"),
        (str(FID._replace(count=150)), "FID-150"),
        (str(FID._replace(metric="kid", count=150, variant="100x150")), "KID-150"),
        (str(FID._replace(made="ema-reconstruction")), "rFID-2k"),
        (str(FID._replace(extractor="logmel@1a2b3c4d/16000hz")), "FAD-2k"),
        (str(FID._replace(extractor="logmel@1a2b3c4d/16000hz", made="ema-reconstruction")), "rFAD-2k"),
        (str(FID._replace(made="trained-reconstruction")), "rFID-2k"),
        (str(FID._replace(made="ema-prior")), "FID-2k"),
        (str(FID._replace(made="ema-translation")), "FID-2k"),
        (str(FID._replace(metric="psnr", extractor="-/-", made="ema-reconstruction")), "PSNR-2k"),
        (str(FID._replace(metric="psnr", variant="y-crop4", extractor="-/-")), "PSNR-y-crop4-2k"),
        (str(FID._replace(metric="psnr", variant="crop4-16bit", extractor="-/-")), "PSNR-crop4-2k"),
        (str(FID._replace(metric="ssim", variant="y-gauss11", extractor="-/-", count=150)), "SSIM-y-150"),
        (str(FID._replace(metric="lpips", variant="alex@1a2b3c4d", extractor="-/-")), "LPIPS-2k"),
        (str(FID._replace(metric="iwae", extractor="-/-", variant="k16-normal")), "IWAE-2k"),
        (str(FID._replace(metric="probe-is", count=50_000)), "PROBE-IS-50k"),
        ("fid", "FID"),
    ],
)
def test_people_are_told_of_how_many_items_a_number_is(name: str, called: str) -> None:
    assert title(name) == called
    assert shown((name, 40.06)) == f"{called}  40.1"
    assert shown((name, 0.0123)) == f"{called} 0.012"


def test_before_the_first_number_there_is_a_dash() -> None:
    assert shown(None) == "score     -"


@pytest.mark.parametrize(
    ("asked", "variant", "expected"),
    [
        ("ssim", "y-crop4-gauss11", True),
        ("ssim-y-crop4", "y-crop4-gauss11", True),
        ("ssim2k-y-crop4-gauss11", "y-crop4-gauss11", True),
        ("ssim-y", "y-crop4-gauss11", True),
        ("ssim-crop4", "y-crop4-gauss11", False),
        ("ssim-y-crop", "y-crop4-gauss11", False),
        ("ssim-y-crop4", "y-crop44-gauss11", False),
        ("ssim-y-crop4", "gauss11", False),
        ("ssi", "gauss11", False),
        ("ssim-gauss11", "gauss11", True),
        ("ssim2k", "gauss11", False),
    ],
)
def test_an_id_is_meant_as_its_metric_was_asked_for(asked: str, variant: str, expected: bool) -> None:
    name = str(FID._replace(metric="ssim", variant=variant, extractor="-/-"))
    assert meant(asked, name) is expected


def test_only_whole_words_are_a_metric() -> None:
    assert not meant("class", str(FID._replace(metric="class-fid")))
    assert meant("rfid", str(FID._replace(made="ema-reconstruction")))
    assert not meant("rfid", str(FID))


@pytest.mark.parametrize(
    ("made", "expected"), [("ema-prior", ":prior"), ("trained-back", ":back"), ("ema-translation", ""), ("ema", "")]
)
def test_what_is_asked_for_behind_a_colon_is_known_by_its_id(made: str, expected: str) -> None:
    name = str(FID._replace(made=made))
    assert aside(name) == expected
    assert meant(f"fid{expected}", name)
    assert not meant("fid:posterior", name)
