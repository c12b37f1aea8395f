from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch

from ganlit.data.audio.modality import AudioModality
from ganlit.data.text.modality import TextModality
from ganlit.errors import UserError
from ganlit.metrics.gauges import Shown, Whole, plains
from ganlit.metrics.groups import Real, grouped
from ganlit.metrics.measure import BETTER
from ganlit.metrics.protocol import called, meant, title

WHO = ["cat", "dog", "man", "bird", "fish", "horse", "girl", "king", "cow", "fox", "hen", "boy"]
WHAT = ["sees", "likes", "rides", "finds", "hears", "calls", "leads", "follows"]
WHERE = ["park", "house", "river", "sea", "wood", "street", "hill", "mill"]


def sentences(count: int, seed: int) -> list[str]:
    some = random.Random(seed).choice
    return [f"the {some(WHO)} {some(WHAT)} a {some(WHO)} near the {some(WHERE)} ." for _ in range(count)]


def collection(folder: Path, name: str, texts: list[str], kind: TextModality | None = None) -> Real:
    file = folder / f"{name}.txt"
    file.write_text("".join(f"{text}\n" for text in texts))
    found = (kind or TextModality()).open(str(file), "train", folder)
    return Real(found.reference, found.modality)


def numbers(of: Real, against: Real, *metrics: str) -> dict[str, float]:
    """By title, but for the count."""
    items = of.reference.items[:]
    groups = grouped(list(metrics), "--metrics", against.modality)
    gauge = Whole(plains(groups, {"target": against}), torch.device("cpu"))
    for places in torch.arange(len(items)).flip(0).split(7):
        gauge.add(Shown(items[places], places, None, "text"))
    return {title(str(each.protocol)).rpartition("-")[0]: each.value for each in gauge.finish()}


@pytest.fixture(scope="module")
def controls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, float]]:
    """Numbers of real texts, and of what is wrong with texts in known ways."""
    folder = tmp_path_factory.mktemp("controls")
    trained = sentences(300, 1)
    real = collection(folder, "trained", trained)
    held = sentences(100, 2)
    kinds = {
        "real": held,
        "shuffled": [" ".join(random.Random(0).sample(text.split(), len(text.split()))) for text in held],
        "repeated": [held[0]] * 100,
        "copies": trained[:100],
    }
    asked = "bleu2", "bleu4", "selfbleu4", "corpusbleu4", "distinct2", "copies", "known", "ppl", "rppl", "valid"
    return {
        name: numbers(collection(folder, name, texts, real.modality), real, *asked) for name, texts in kinds.items()
    }


def test_controls_are_ordered_rightly(controls: dict[str, dict[str, float]]) -> None:
    real, shuffled, repeated, copies = (controls[name] for name in ("real", "shuffled", "repeated", "copies"))
    bleu, own, ppl, rppl = "BLEU-4-words", "SELFBLEU-4-words", "PPL-words", "RPPL-words"
    assert shuffled[bleu] + 0.3 < real[bleu] < copies[bleu] == 1
    assert shuffled["CORPUSBLEU-4-words"] + 30 < real["CORPUSBLEU-4-words"] < 100
    assert real[own] + 0.05 < repeated[own] == 1
    assert repeated["DISTINCT-2-words"] < real["DISTINCT-2-words"] / 4
    assert 3 * real[ppl] < shuffled[ppl]
    assert 2 * real[rppl] < shuffled[rppl]
    assert 2 * real[rppl] < repeated[rppl]
    assert repeated[ppl] < 2 * real[ppl]  # quality alone does not see that all are one
    assert copies["COPIES-words"] == 1
    assert copies["VALID-words"] > 0.9
    assert real["VALID-words"] > 0.9
    assert shuffled["VALID-words"] < 0.1
    assert real["COPIES-words"] < 0.3
    assert shuffled["COPIES-words"] == 0
    assert real["KNOWN-words"] == shuffled["KNOWN-words"] == 1  # words alone do not see their order


def test_ids_say_all_that_moves_a_number(tmp_path: Path) -> None:
    real = collection(tmp_path, "real", ["a b c", "d e"])
    groups = grouped(["bleu3-characters", "ppl", "selfbleu4"], "--metrics", real.modality)
    gauge = Whole(plains(groups, {"target": real}), torch.device("cpu"))
    gauge.add(Shown(real.reference.items[:], torch.arange(2), None, "ema"))
    where = f"real@{real.reference.digest[:6]}/ema"
    ids = [str(each.protocol) for each in gauge.finish()]
    assert ids == [
        f"bleu2-3-characters-method1/-/-/{where}",
        f"ppl2-words/kneser-ney3/counted/{where}",
        "selfbleu2-4-words-method1/-/-/-/ema",
    ]
    assert title(ids[0]) == "BLEU-3-characters-2"
    assert meant("bleu", ids[0])
    assert meant("bleu-3", ids[0])
    assert meant("bleu3-characters", ids[0])
    assert not meant("bleu4", ids[0])
    assert called("fid2k/minilm-l6-v2@1a2b3c4d/128tokens/real@1a2b3c/text") == "FED"
    assert BETTER["bleu"] == "higher"
    assert BETTER["rppl"] == "lower"


def test_they_are_asked_for_as_papers_call_them() -> None:
    (group,) = grouped(["bleu4", "bleu-2", "bleu3-characters", "distinct"], "--metrics", TextModality())
    assert group.metrics == ["bleu-4", "bleu-2", "bleu-3-characters", "distinct"]
    sets = grouped(["fed", "fid", "kid@minilm"], "--metrics", TextModality())
    assert [(each.extractor, each.metrics) for each in sets] == [("minilm-l6-v2", ["fid", "kid"]), ("ngrams", ["fid"])]
    assert grouped(["fed@ngrams"], "--metrics", TextModality())[0].extractor == "ngrams"
    with pytest.raises(UserError, match=r"--metrics: bleu-4-letters: write bleu-4, or bleu-4-characters"):
        grouped(["bleu4-letters"], "--metrics", TextModality())
    with pytest.raises(UserError, match=r"--metrics: copies-4: write copies, or copies-characters"):
        grouped(["copies-4"], "--metrics", TextModality())
    with pytest.raises(UserError, match=r"bleu4@minilm: bleu knows no extractors: write .* bleu-4 alone"):
        grouped(["bleu4@minilm"], "--metrics", TextModality())
    with pytest.raises(UserError, match=r"there is no metric bleu4 of audio"):
        grouped(["bleu4"], "--metrics", AudioModality())


def test_one_text_has_no_others(tmp_path: Path) -> None:
    real = collection(tmp_path, "real", ["a b c"])
    with pytest.raises(UserError, match="selfbleu holds texts against one another, and there is one"):
        numbers(real, real, "selfbleu4")


def test_copies_are_those_of_what_was_trained_on(tmp_path: Path) -> None:
    held, trained = collection(tmp_path, "held", ["a b"]), collection(tmp_path, "trained", ["c d", "e"])
    sides = held._replace(trained=trained.reference)
    made = collection(tmp_path, "made", ["c d", "a b", "e", "f"], trained.modality)
    made = made._replace(modality=trained.modality)
    sides = sides._replace(modality=trained.modality)
    found = plains(grouped(["copies"], "--metrics", trained.modality), {"target": sides})["copies"]
    assert found.tell(made.reference.items[:]).value == 0.5
