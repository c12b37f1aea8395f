"""Text that others have chosen, made harmless in what a report writes; of HTML the page's template takes care."""

from __future__ import annotations

import re
from typing import Any
from unicodedata import normalize

from ganlit.errors import printable

SPECIAL = re.compile(r"[\\`*\[\]~$]|(?<![^\W_])_|_(?![^\W_])")
"""What Markdown takes for more than itself wherever it stands; an underscore within a word is none."""

LEADING = re.compile(r"^(?=#+(\s|$)|[-+](?![\w.])|[>=])|^\d+(?=[.)](\s|$))")
"""Behind what a backslash is due, in text that would begin a heading, a list or a quotation."""

FORMULA = "=+-@'"
"""How a cell begins that a spreadsheet computes; the apostrophe keeps those apart that begin with one already."""


def markdown(text: str) -> str:
    """Text that Markdown shows as it is: in one line, without HTML, links, formulas or lists."""
    text = " ".join(printable(text).split())
    text = SPECIAL.sub(r"\\\g<0>", text.replace("&", "&amp;")).replace("<", "&lt;")
    return LEADING.sub(r"\g<0>\\", text)


def table_cell(text: str) -> str:
    """The same within a table."""
    return markdown(text).replace("|", "\\|")


def code(text: str) -> str:
    """Text that Markdown shows letter by letter."""
    text = printable(text)
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    room = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{room}{text}{room}{fence}"


def cell(value: Any) -> Any:
    """What a spreadsheet takes for the number or the text that it is: text that it would compute gets an apostrophe."""
    if not isinstance(value, str) or _number(value):
        return value
    begins = normalize("NFKC", value.lstrip()[:1])  # of what only looks like a sign, too
    return f"'{value}" if begins and begins[0] in FORMULA else value


def value(cell: str) -> str:
    """What `cell` was made from, read back."""
    return cell.removeprefix("'")


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
