"""CPU time of a schedule's part in a step: logged at each step, or where a row is written; in turns within one fit."""

from __future__ import annotations

import statistics
import sys
import time
from typing import Any

from lightning.pytorch.trainer.connectors.logger_connector.logger_connector import _LoggerConnector

from ganlit.callbacks.anneal import Anneal
from ganlit.cli.main import main

FIRST = 20  # turns that are not counted
ROWS = _LoggerConnector.should_update_logs
WAYS = {"each step": property(lambda _: True), "each row": ROWS}
HOOK = Anneal.on_train_batch_start
times: dict[str, list[float]] = {way: [] for way in WAYS}


def timed(self: Anneal, *given: Any) -> None:
    """The hook, in the way whose turn it is."""
    way = min(times, key=lambda each: len(times[each]))
    _LoggerConnector.should_update_logs = WAYS[way]
    began = time.thread_time()
    HOOK(self, *given)
    times[way].append(time.thread_time() - began)
    _LoggerConnector.should_update_logs = ROWS


Anneal.on_train_batch_start = timed
code = main(sys.argv[1:])
for way, found in times.items():
    low, middle, high = (1000 * each for each in statistics.quantiles(found[FIRST:], n=4))
    print(f"{way}: median {middle:.3f} ms, quartiles {low:.3f} to {high:.3f}, {len(found) - FIRST} steps")
sys.exit(code)
