"""Pictures that belong together: halves of one picture, or files of one name in two places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import PurePosixPath
from typing import Literal

from ganlit.data.images.fitting import Picture
from ganlit.data.images.form import Form
from ganlit.data.images.opening import Opened
from ganlit.data.images.source import DAMAGE, Source
from ganlit.data.images.tree import Tree
from ganlit.data.labels import normal
from ganlit.data.source import BadItem
from ganlit.errors import UserError


class Half(Source):
    """The left or the right half of each picture, as pix2pix keeps its pairs: arXiv 1611.07004, appendix 6.2."""

    def __init__(self, whole: Source, side: Literal["left", "right"]) -> None:
        self.whole = whole
        self.side = side
        self.name = f"{whole.name}-{side}"
        self.fingerprint = f"{whole.fingerprint}-{side}"
        self.labels = False

    def __len__(self) -> int:
        return len(self.whole)

    def title(self, index: int) -> str:
        return f"the {self.side} half of {self.whole.title(index)}"

    def opened(self, index: int) -> Opened:
        return self.whole.opened(index)

    def size(self, index: int, form: Form) -> tuple[int, int]:
        width, height = self.whole.size(index, form)
        return width // 2, height

    def picture(self, index: int, form: Form | None = None) -> tuple[Picture, int | None]:
        picture = self.whole.picture(index, form)[0]
        width, height = picture.image.size
        if width % 2:
            reason = f"is {width} pixels wide, which no two halves share"
            raise BadItem(self.whole.title(index), "width", reason, "cut source and target to one width")
        left = 0 if self.side == "left" else width // 2
        return picture._replace(image=picture.image.crop((left, 0, left + width // 2, height))), None

    def label(self, index: int) -> None:
        return None


class Ordered(Source):
    """Some pictures of a source, in an order."""

    def __init__(self, whole: Source, order: Sequence[int]) -> None:
        self.whole = whole
        self.order = order
        self.name = whole.name
        self.fingerprint = f"{whole.fingerprint}-{blake2b(repr(order).encode(), digest_size=8).hexdigest()}"
        self.labels = False

    def __len__(self) -> int:
        return len(self.order)

    def title(self, index: int) -> str:
        return self.whole.title(self.order[index])

    def opened(self, index: int) -> Opened:
        return self.whole.opened(self.order[index])

    def label(self, index: int) -> None:
        return None


def halves(whole: Source) -> tuple[Source, Source]:
    return Half(whole, "left"), Half(whole, "right")


def partners(source: Source, target: Source, form: Form, scale: float = 1.0) -> tuple[Source, Source]:
    """The pictures of both places that have one path in them, whatever its suffix, in one order.

    Args:
        source: of these.
        target: and those.
        form: in which they are wanted.
        scale: by how much the latter are larger.

    Raises:
        UserError: one has no partner, or is of another size.
    """
    places = [_by_path(side) for side in (source, target)]
    for one, other, there in ((0, 1, target), (1, 0, source)):
        if alone := sorted(places[one].keys() - places[other].keys()):
            title, count = (source, target)[one].title(places[one][alone[0]]), len(alone)
            others = f", one of {count}" if count > 1 else ""
            raise UserError(
                f"{title} has no partner of the path {alone[0]} in {there.name}{others}: add it, or move this away."
            )
    both = [(places[0][path], places[1][path]) for path in sorted(places[0])]
    for one, other in both:
        _refuse_unequal(source, one, target, other, form, scale)
    return Ordered(source, [one for one, _ in both]), Ordered(target, [other for _, other in both])


def _by_path(side: Source) -> dict[str, int]:
    if not isinstance(side, Tree):
        raise UserError(f"{side.name} has no files whose names could pair them with others: give a folder or a zip.")
    paths = [PurePosixPath(normal(member)).with_suffix("").as_posix() for member in side.members]
    path, times = Counter(paths).most_common(1)[0]
    if times > 1:
        raise UserError(f"{side.name} has {times} pictures of the path {path}: rename or remove one of them.")
    return {path: place for place, path in enumerate(paths)}


def _refuse_unequal(source: Source, one: int, target: Source, other: int, form: Form, scale: float) -> None:
    try:
        sizes = [source.size(one, form), target.size(other, form)]
    except DAMAGE:  # of which decoding tells
        return
    (width, height), (wide, high) = sizes
    if (wide, high) != (width * scale, height * scale):
        factor = f", not {scale:g} times as large" if scale != 1 else ""
        partner = f"its partner {source.title(one)} is {width}x{height}{factor}"
        raise UserError(
            f"{target.title(other)} is {wide}x{high} while {partner}: bring both to one size, for they would be cut in "
            "different places."
        )
