from __future__ import annotations

from ganlit.metrics.extractors import NAMES
from ganlit.metrics.images import backbones, paired
from ganlit.metrics.paired import names
from ganlit.metrics.rooms import rooms


def test_a_modality_is_found_by_its_room() -> None:
    assert rooms("backbones") == {"images": backbones}
    assert rooms("paired") == {"images": paired}
    assert rooms("nothing") == {}
    assert names("images") == names() == list(paired.PAIRED)
    assert names("nothing") == []
    assert "inception" in NAMES
