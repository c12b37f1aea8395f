"""ganlit: the GAN lab that researchers trust."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganlit.configuration.rebuild import load

__all__ = ["load"]


def __getattr__(name: str) -> Any:
    """Imports on first use: `import ganlit` alone stays light."""
    if name == "load":
        from ganlit.configuration.rebuild import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
