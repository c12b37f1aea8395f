"""Sizes that networks are given."""

from __future__ import annotations

from ganlit.errors import within


def check(network: str, **sizes: int) -> None:
    """Refuses sizes of which no network can be made.

    Raises:
        UserError: one of them is too small, or larger than any that was ever meant.
    """
    for name, size in sizes.items():
        within(f"{network}.{name}", size, least=1, most=2**20)
