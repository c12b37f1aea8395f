"""A picture that somebody sends: its bytes, of whatever size and kind, in the form of a network."""

from __future__ import annotations

from io import BytesIO

from PIL import UnidentifiedImageError
from torch import Tensor

from ganlit.data.images.brought import Brought
from ganlit.data.images.form import Form
from ganlit.data.images.limits import most_bytes, tell_pillow
from ganlit.data.images.opening import Opened, opened
from ganlit.data.images.source import Source
from ganlit.data.source import BadItem


class Sent(Source):
    """One picture, which lies in no file.

    Args:
        content: what a file of it would hold.
    """

    name = "the picture"  # in messages

    fingerprint = ""
    labels = False

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __len__(self) -> int:
        return 1

    def title(self, index: int) -> str:
        return self.name

    def label(self, index: int) -> None:
        return None

    def opened(self, index: int) -> Opened:
        if len(self.content) > most_bytes():
            raise BadItem(self.name, "too large", "is too large", "send a smaller one")
        try:
            return opened(BytesIO(self.content))
        except UnidentifiedImageError:
            raise BadItem(self.name, "not an image", "is not an image", "send one") from None


def received(content: bytes, form: Form) -> Tensor:
    """Its central square, stored as images of a form are, [1, C, R, R]; another kind is converted.

    Raises:
        UserError: it is none, is damaged, or is larger than pictures may be.
    """
    tell_pillow()
    return Brought(Sent(content), form._replace(fit="crop", convert=True))[0:1]
