from __future__ import annotations

from ganlit.metrics.extractors import NAMES
from ganlit.metrics.images import backbones, paired
from ganlit.metrics.paired import PAIRED
from ganlit.metrics.rooms import rooms


def test_a_modality_is_found_by_its_room() -> None:
    assert rooms("backbones") == {"images": backbones}
    assert rooms("paired") == {"images": paired}
    assert rooms("nothing") == {}
    assert PAIRED["images"] is paired.PAIRED
    assert "inception" in NAMES
