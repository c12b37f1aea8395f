"""What Markdown makes of it is asked of a parser of Markdown."""

from __future__ import annotations

import csv
import io
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ganlit.errors import printable
from ganlit.studies.report.escaping import cell, code, markdown, table_cell
from ganlit.studies.report.tables import read_spreadsheet, spreadsheet_row

MARKUP = st.text("`*_~[]()!<>#+-=.|\\&;:/$1a \t\n", max_size=20)
TEXT = MARKUP | st.text(max_size=12)
PAGE = MarkdownIt("commonmark").enable(["table", "strikethrough"])


class Words(HTMLParser):
    """The tags of a page, and what is read between them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def spaced(text: str) -> str:
    return " ".join(text.split())


@settings(max_examples=400, deadline=None)
@given(TEXT)
def test_markdown_shows_a_text_as_it_is(text: str) -> None:
    page = Words(PAGE.render(f"- {markdown(text)}\n- next\n"))
    assert page.tags == ["ul", "li", "li"]
    assert spaced(page.text) == spaced(f"{printable(text)} next")
    assert Words(PAGE.render(f"# {markdown(text)}x")).tags == ["h1"]


@settings(max_examples=400, deadline=None)
@given(TEXT, TEXT)
def test_a_cell_is_one_cell(one: str, other: str) -> None:
    page = Words(PAGE.render(f"| a | b |\n|---|---|\n| {table_cell(one)} | {table_cell(other)} |\n\nend\n"))
    assert page.tags == ["table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td", "p"]
    assert spaced(page.text) == spaced(f"a b {printable(one)} {printable(other)} end")


@settings(max_examples=400, deadline=None)
@given(TEXT.filter(str.strip))
def test_code_is_shown_letter_by_letter(text: str) -> None:
    page = Words(PAGE.render(f"- name: {code(text)} end\n"))
    assert page.tags == ["ul", "li", "code"]
    assert spaced(page.text) == spaced(f"name: {printable(text)} end")


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(), max_size=12))
def test_what_is_printed_is_letters_in_one_line(text: str) -> None:
    found = printable(text)
    assert found.isprintable()
    assert found.encode().decode() == found
    assert printable(found) == found
    if text.isprintable():
        assert found == text


def test_what_a_terminal_obeys_is_spelled_out() -> None:
    assert printable("a\x1b[2J\r\nb\x00\x7f\ud800\u202ec é ±") == r"a\x1b[2J\r\nb\x00\x7f\ud800\u202ec é ±"


FORMULAS = ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "-x", "=cmd|' /C calc'!A0"]  # noqa: RUF001


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_becomes_a_text(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("number", [-1, -0.5, 1e-9, "-0.5", "+1", "-1e-05", "-inf", None, True])
def test_a_number_stays_a_number(number: object) -> None:
    assert cell(number) is number


CELL = MARKUP | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9)


@settings(max_examples=400, deadline=None)
@given(st.lists(CELL, min_size=2, max_size=3, unique=True), st.data())
def test_every_text_is_read_back(header: list[str], data: st.DataObject) -> None:
    texts = data.draw(st.lists(CELL, min_size=len(header), max_size=len(header)))
    file = spreadsheet_row(header) + spreadsheet_row(texts)
    assert read_spreadsheet(file) == [dict(zip(header, texts, strict=True))]
    raw = [each for row in csv.reader(io.StringIO(file, newline="")) for each in row]
    assert not [each for each in raw if each.lstrip()[:1] in ("=", "@")]
