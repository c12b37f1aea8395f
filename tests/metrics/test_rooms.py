from __future__ import annotations

from ganlit.metrics import audio, images, text
from ganlit.metrics.extractors import NAMES
from ganlit.metrics.paired import alone, names
from ganlit.metrics.rooms import rooms


def test_a_modality_is_found_by_its_room() -> None:
    assert rooms("backbones") == {"audio": audio.backbones, "images": images.backbones, "text": text.backbones}
    assert rooms("paired") == {"audio": audio.paired, "images": images.paired, "text": text.paired}
    assert rooms("plain") == {"text": text.plain}
    assert rooms("nothing") == {}
    assert names("images") == list(images.paired.PAIRED)
    assert names() == [*audio.paired.PAIRED, *images.paired.PAIRED]
    assert names("nothing") == alone("nothing") == alone("images") == []
    assert alone("audio") == ["dnsmos"]
    assert alone() == ["dnsmos", "oracle-nll"]
    assert {"inception", "logmel"} < {*NAMES}
