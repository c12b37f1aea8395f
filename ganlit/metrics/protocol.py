"""The name of a number: all that must be equal before two numbers may be compared."""

from __future__ import annotations

import re
from typing import NamedTuple

from ganlit.metrics.rooms import rooms

CALLED = {word: name for room in rooms("called").values() for word, name in room.CALLED.items()}
"""What papers call some metrics with options behind their names: "bleu4" is "bleu-4"."""

PRIOR, BACK = "prior", "back"
"""How items are made that are asked for behind a colon: "fid:prior"."""


class Protocol(NamedTuple):
    """How a number was made.

    Its id is what logs, files and tables call the number by:
    `fid2k/inception-2015-12-05@1a2b3c4d/legacy/digits-train@9f8e7d/ema`.
    """

    metric: str  # "fid"
    count: int  # generated items
    variant: str  # what else the metric was asked for: "k5", "10x200"; empty where there is no choice
    extractor: str  # network, digest of its weights, resize: "inception-2015-12-05@1a2b3c4d/legacy"
    reference: str  # dataset, split and digest of its content, "digits-train@9f8e7d"; "-" where none is used
    made: str  # how the items were made: "ema", "ema-psi0.7", "ema@levels2+800bps-reconstruction", "images"
    part: str = ""  # the class, where there is a number for each

    def __str__(self) -> str:
        name = f"{self.metric}{abbreviated(self.count)}" + (f"-{self.variant}" if self.variant else "")
        parts = [name, self.extractor, self.reference, self.made, self.part.replace("/", "|")]
        return "/".join(part for part in parts if part)


def abbreviated(count: int) -> str:
    """2000 is "2k", 250 is "250"."""
    return f"{count // 1000}k" if count and count % 1000 == 0 else str(count)


def metric_of(name: str) -> str:
    """The metric in an id: "fid" in "fid2k/inception-...", "class-fid" in "class-fid2k/..."."""
    return re.match(r"[a-z-]*[a-z]", name)[0]


def called(name: str) -> str:
    """What people call the metric in an id: "FID", of sound "FAD", of text "FED", and "rFID" of reconstructions."""
    metric = metric_of(name)
    if metric != "fid":
        return metric.upper()
    size = "".join(name.split("/")[2:3])  # an extractor hears so many samples a second, or reads so many tokens
    letter = "A" if size.endswith("hz") else "E" if size.endswith("tokens") else "I"
    return ("r" if making_of(name) == "reconstruction" else "") + f"F{letter}D"


def making_of(name: str) -> str:
    """What an id tells of the making of its items beside whose weights made them: "reconstruction", "prior"."""
    return "".join(name.split("/")[4:5]).partition("-")[2]


def aside(name: str) -> str:
    """By what an id is asked for behind a colon: ":prior", ":back", or nothing."""
    making = making_of(name)
    return f":{making}" if making in (PRIOR, BACK) else ""


def meant(asked: str, name: str) -> bool:
    """Whether an id may be asked for so: by its beginning, whose parts end at slashes, or by its metric.

    A metric may be called as people do, "rfid", and by how it was asked for, "psnr-y-crop4"; a colon tells how the
    items were made, as in "fid:prior".
    """
    word, colon, making = asked.partition(":")
    head, hyphen, options = word.partition("-")
    word = f"{CALLED.get(head, head)}{hyphen}{options}"
    if colon and making != making_of(name):
        return False
    metric = metric_of(name)
    _, _, variant = name.split("/")[0].removeprefix(metric).partition("-")
    rest = name.removeprefix(metric)
    for head in (metric, called(name).lower()):
        by_metric = f"{word}-".startswith(f"{head}-") and f"{head}-{variant}-".startswith(f"{word}-")
        if by_metric or f"{head}{rest}".startswith(f"{word}/"):
            return True
    return False


def title(name: str) -> str:
    """What people call the number of an id: "FID-2k", since the FID of fewer items is another number; "PSNR-y-150"."""
    from ganlit.metrics.paired import asked_for  # which knows how items of all modalities are compared

    metric = metric_of(name)
    count, variant = re.match(r"(\d+k?)?-?(.*)", name.split("/")[0].removeprefix(metric)).groups()
    return f"{called(name)}{asked_for(metric, variant)}" + (f"-{count}" if count else "")


def shown(score: tuple[str, float] | None) -> str:
    """A score of one width: "FID-2k  15.3"; a dash before the first."""
    if score is None:
        return "score     -"
    name, value = title(score[0]), score[1]
    return f"{name} {value:5.1f}" if value >= 10 else f"{name} {value:5.3f}"


FIELDS = ("metric, count and variant", "extractor and weights", "resize", "reference", "making", "class")


def difference(one: str, other: str) -> str | None:
    """What forbids to compare the numbers of two ids, such as "resize legacy, not clean"; None where nothing does."""
    if one == other:
        return None
    pairs = zip(FIELDS, *([*name.split("/"), *[""] * len(FIELDS)] for name in (one, other)), strict=False)
    return "; ".join(f"{field} {a or 'none'}, not {b or 'none'}" for field, a, b in pairs if a != b)


def alike(one: str, other: str) -> bool:
    """Whether one axis can show the numbers of two ids: of one metric, extractor and class, and of items made alike.

    Counts and sets may differ, and real items stand beside any.
    """
    (first, *ones), (second, *others) = one.split("/"), other.split("/")
    made = ones[3:4] == others[3:4] or ["real"] in (ones[3:4], others[3:4])
    return made and metric_of(first) == metric_of(second) and (*ones[:2], ones[4:]) == (*others[:2], others[4:])
