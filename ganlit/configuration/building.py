"""How the classes that a configuration names are built: what one of them cannot take is the configuration's fault."""

from __future__ import annotations

from typing import Any

from jsonargparse import add_instantiator

from ganlit.errors import UserError, reason


def built(kind: type, *given: Any, **settings: Any) -> Any:
    """An object of a class.

    Raises:
        UserError: the class refuses what it is given, or fails.
    """
    try:
        return kind(*given, **settings)
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{kind.__name__} cannot be built from these settings ({reason(error)}): mend them.") from error


add_instantiator(built, object)
