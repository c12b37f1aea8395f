"""Pages that are one HTML file each and ask nobody for anything."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

HERE = Path(__file__).parent


def rendered(template: Path, **values: Any) -> str:
    """A page, in the look and under the rules of all.

    Args:
        template: of Jinja; it extends base.html, which says what it may fill, and what a page may load and run.
        values: that it names, of which each has a `title`; as text, unless it marks them as safe.
    """
    loader = FileSystemLoader([template.parent, HERE], encoding="utf-8")
    pages = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
    when = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    return pages.get_template(template.name).render(style=style(), when=when, **values)


def style() -> str:
    """How every page looks, in CSS."""
    return (HERE / "page.css").read_text(encoding="utf-8")
