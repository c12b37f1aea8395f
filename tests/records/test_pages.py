from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from ganlit.records.pages import rendered, style


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "page.html"
    text = '{% extends "base.html" %}{% block by %}toy{% endblock %}{% block body %}<p>{{ word }} ö</p>{% endblock %}'
    path.write_text(text, encoding="utf-8")
    return path


def test_a_page_has_the_look_of_all_and_what_it_is_given_is_text(template: Path) -> None:
    text = rendered(template, title="<script>a</script>", word="<b>")
    assert text.startswith("<!doctype html>")
    assert "<title>&lt;script&gt;a&lt;/script&gt;</title>" in text
    assert "<p>&lt;b&gt; ö</p>" in text
    assert style() in text
    assert 'name="generator" content="toy"' in text


def test_a_page_loads_nothing_and_runs_no_script_unless_it_says_so(template: Path) -> None:
    [rules] = re.findall(r'Content-Security-Policy" content="([^"]*)"', rendered(template, title="a", word="b"))
    assert rules == "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'"
    own = "{% block scripts %}; script-src 'unsafe-inline'{% endblock %}"
    template.write_text(template.read_text(encoding="utf-8") + own, encoding="utf-8")
    assert f"{rules}; script-src 'unsafe-inline'\">" in rendered(template, title="a", word="b")


def test_a_page_without_what_it_names_is_not_written(template: Path) -> None:
    with pytest.raises(UndefinedError, match="'word' is undefined"):
        rendered(template, title="a")
