"""The error that is the user's to mend."""

from __future__ import annotations


class UserError(ValueError):
    """One sentence: what is wrong, where (file, key, value), what to do; printed by the CLI without a traceback."""
