"""What people would say of speech of which nobody knows what it should be: DNSMOS P.835, arXiv 2110.01763."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from ganlit.contracts import Modality
from ganlit.metrics.audio.last import Last
from ganlit.metrics.audio.listening import heard, package, rate_of, refuse
from ganlit.metrics.carriers import Carrier
from ganlit.metrics.likeness import Likeness

CARRIER = Carrier(
    "speechmos==0.0.1.1",
    "speechmos/dnsmos_models/sig_bak_ovr.onnx",
    "269fbebdb513aa23cddfbb593542ecc540284a91849ac50516870e1ac78f6edd",
)
RATE, WINDOW = 16_000, 144_160  # samples: of a second, and of what the network hears at a time
SCALES = {  # from what it says to opinions of 1 to 5: polynomials, the highest power first, in its order
    "sig": (-0.08397278, 1.22083953, 0.0052439),  # of the speech
    "bak": (-0.13166888, 1.60915514, -0.39604546),  # of what is behind it
    "ovrl": (-0.06766283, 1.11546468, 0.04602535),  # of all
}


class Listener:
    """The network, which hears 9.01 s of each second on; shorter sound is repeated, as speechmos does.

    Args:
        kind: of the recordings, whose rate is known.

    Raises:
        UserError: onnxruntime, or the weights, are not here.
    """

    def __init__(self, kind: Modality) -> None:
        runtime = package("onnxruntime", "dnsmos")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        self.network = runtime.InferenceSession(CARRIER.read("dnsmos"), options, providers=["CPUExecutionProvider"])
        self.kind = kind
        self.opinions = Last(self.hear)

    def hear(self, items: Tensor) -> Tensor:
        """Of stored sound [B, C, T], whose channels are heard together: [B, 3], as `SCALES` has them."""
        refuse(items, self.kind.rate // 4, "dnsmos")
        waves = heard(items, self.kind, RATE).clamp(-1, 1)
        return torch.tensor(np.stack([self.opinion(wave) for wave in waves.numpy()]), dtype=torch.float64)

    def opinion(self, wave: np.ndarray) -> np.ndarray:
        """Of one recording [T], [3]: the mean over windows, of which repeated sound has equal ones, heard once."""
        length, repeated = len(wave), wave
        while len(repeated) < WINDOW:
            repeated = np.concatenate([repeated, repeated])
        starts = range(0, len(repeated) - WINDOW + 1, RATE)
        places = Counter(start % length if len(repeated) > length else start for start in starts)
        raw = [self.network.run(None, {"input_1": repeated[None, start : start + WINDOW]})[0][0] for start in places]
        scored = [np.polyval(scale, np.stack(raw)[:, place]) for place, scale in enumerate(SCALES.values())]
        return np.average(scored, axis=1, weights=list(places.values()))


@lru_cache(maxsize=4)
def listener(kind: Modality) -> Listener:
    """That of all metrics by this network."""
    return Listener(kind)


def dnsmos(option: str, kind: Modality, device: torch.device | str) -> Likeness:
    """Opinions of the whole, of the speech or of what is behind it."""
    rate = rate_of(kind, "dnsmos")
    found, place = listener(kind), list(SCALES).index(option or "ovrl")
    variant = f"{'' if option else 'ovrl-'}{CARRIER.sha256[:8]}-{rate}hz"
    return Likeness(variant, lambda items: found.opinions(items)[:, place])
