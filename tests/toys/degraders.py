"""One of every degradation, and of what is made of several, by a name that begins with its class."""

from __future__ import annotations

from ganlit.data.images.degradations.blur import Blur, Sinc
from ganlit.data.images.degradations.colour import Grey
from ganlit.data.images.degradations.composed import Chain, Either
from ganlit.data.images.degradations.detour import Detour, Resize
from ganlit.data.images.degradations.edges import Edges
from ganlit.data.images.degradations.jpeg import Jpeg
from ganlit.data.images.degradations.maps import Invert, Tint, Turn
from ganlit.data.images.degradations.masked import Masked
from ganlit.data.images.degradations.motion import MotionBlur
from ganlit.data.images.degradations.noise import Noise, PoissonNoise
from ganlit.data.images.degradations.resampling import Downsample, Upsample
from ganlit.data.images.degradations.steps import Quantise

DEGRADATIONS = {
    "Downsample": Downsample(4),
    "Downsample matlab": Downsample(4, "matlab"),
    "Upsample": Upsample(2),
    "Upsample aliased": Upsample(2, "aliased-bicubic"),
    "Noise": Noise((0.0, 50.0), grey=0.5),
    "PoissonNoise": PoissonNoise((0.0, 3.0), grey=0.5),
    "Blur": Blur(anisotropic=True, beta=(0.5, 4.0)),
    "Sinc": Sinc(),
    "MotionBlur": MotionBlur(),
    "Jpeg": Jpeg(),
    "Grey": Grey(),
    "Invert": Invert(),
    "Turn": Turn(),
    "Tint": Tint(),
    "Edges": Edges(),
    "Masked": Masked(rectangles=(0, 2)),
    "Quantise": Quantise(),
    "Chain": Chain([Blur(), Downsample(2), Noise(), Downsample(2), Jpeg()]),
    "Either": Either([Noise(), PoissonNoise(), Jpeg()], [0.3, 0.3, 0.2]),
    "Detour": Detour(2, [Resize((0.5, 1.5)), Either([Noise(), Jpeg()]), Blur(), Resize(0.5)]),
}
