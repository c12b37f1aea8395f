"""What papers call the metrics of texts."""

from __future__ import annotations

LONGEST = 9  # n-grams

ORDERS = {"bleu": 4, "selfbleu": 4, "corpusbleu": 4, "distinct": 2}
"""Of those that count n-grams of a size, that which is usual."""

CALLED = {f"{name}{order}": f"{name}-{order}" for name in ORDERS for order in range(1, LONGEST + 1)}
"""bleu4 is what papers say."""
