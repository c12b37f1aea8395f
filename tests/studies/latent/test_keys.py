"""What is typed for items."""

from __future__ import annotations

import pytest

from ganlit.errors import UserError
from ganlit.studies.latent.keys import LARGEST_SEED, chosen


def test_items_have_numbers_up_to_the_largest_seed() -> None:
    assert chosen(f"3,5-6,{LARGEST_SEED}", "--seeds") == [3, 5, 6, LARGEST_SEED]
    with pytest.raises(UserError, match="--seeds 10000000 names 1 item: name 1 to 16,384, each below 10,000,000"):
        chosen(str(LARGEST_SEED + 1), "--seeds")
