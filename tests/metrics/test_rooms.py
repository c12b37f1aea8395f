from __future__ import annotations

from ganlit.metrics import audio, images, plane, text, video
from ganlit.metrics.extractors import NAMES
from ganlit.metrics.paired import alone, names
from ganlit.metrics.rooms import rooms


def test_a_modality_is_found_by_its_room() -> None:
    every = {"audio": audio, "images": images, "text": text, "video": video}
    assert rooms("backbones") == {name: room.backbones for name, room in (every | {"plane": plane}).items()}
    assert rooms("paired") == {name: room.paired for name, room in every.items()}
    assert rooms("plain") == {"images": images.plain, "plane": plane.plain, "text": text.plain}
    assert rooms("sets") == {"video": video.sets}
    assert rooms("nothing") == {}
    assert names("images") == list(images.paired.PAIRED)
    assert names() == [*audio.paired.PAIRED, *images.paired.PAIRED, *video.paired.PAIRED]
    assert names("nothing") == alone("nothing") == alone("images") == []
    assert alone("audio") == ["dnsmos"]
    assert alone() == ["dnsmos", "oracle-nll"]
    assert {"inception", "logmel"} < {*NAMES}
