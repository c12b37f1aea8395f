"""Where classes stand today that the records of older runs name by the place they had."""

from __future__ import annotations

import re
from typing import Any

MOVED = {  # modules, and one class whose module's name has become a room's
    "ganlit.data.images.Images": "ganlit.data.images.images.Images",
    "ganlit.loggers": "ganlit.callbacks.loggers",
    "ganlit.networks.dcgan": "ganlit.networks.images.dcgan",
    "ganlit.networks.stylegan": "ganlit.networks.images.stylegan",
    "ganlit.regularizers": "ganlit.losses.regularizers",
    "ganlit.strategy": "ganlit.compute.strategy",
}

ADDED: dict[str, dict[str, Any]] = {
    "ganlit.callbacks.alarms.Alarms": {"reactions": None},
    "ganlit.callbacks.samples.Samples": {"film": False},
    "ganlit.data.images.images.Images": {"labels": True, "held_out": None, "depth": 8, "range": [0.0, 1.0]},
    "ganlit.losses.regularizers.generator.PathLength": {"share": 1.0},
    "ganlit.networks.images.autoencoder.VQAutoencoder": {"uniform": False},
    "ganlit.networks.images.rrdb.RRDBNet": {"unit": False},
    "ganlit.networks.images.srvgg.SRVGG": {"unit": False},
    "ganlit.tasks.cycle.CycleTranslation": {"adversarial": None},
}
"""Arguments that classes did not have when older runs were recorded, with the values that say what was done then."""

OLD = re.compile(rf"(?<![\w.])({'|'.join(map(re.escape, MOVED))})(?!\w)")


def current(config: str) -> str:
    """The text of a configuration, with every class at its place of today.

    Old records stay as they are: whoever reads one reads it through this.
    """
    return OLD.sub(lambda found: MOVED[found[1]], config)
