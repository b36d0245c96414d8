"""Markdown as plain text that a student can read."""

import pytest

from jobs.formats.base import Block
from jobs.formats.markdown import INLINE_CHARACTERS_MAX, read


def texts(markdown: str) -> list[str]:
    return [block.text for block in read(markdown).blocks]


def headings(markdown: str) -> list[tuple[int, str]]:
    return [(block.level, block.text) for block in read(markdown).blocks if block.level]


def test_headings_of_both_styles_are_found() -> None:
    markdown = "# One\n\nTwo\n===\n\nThree\n---\n\n### Four ###\n"
    assert headings(markdown) == [(1, "One"), (1, "Two"), (2, "Three"), (3, "Four")]


def test_a_comment_in_code_is_no_heading() -> None:
    markdown = "```sh\n# comment\nls\n```\n\n    # indented\n\n~~~\n# tilde\n~~~\n"
    assert headings(markdown) == []
    assert texts(markdown) == ["# comment\nls\n", "# indented\n", "# tilde\n"]


def test_a_heading_is_text_without_markup() -> None:
    assert headings("## *TCP* & `code` [link](x) {#tcp}\n") == [(2, "TCP & code link")]


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("a *b* **c** __d__ ~~e~~", "a b c d e"),
        ("a [b](http://c.d 'e') ![f](g.png) <http://h.i>", "a b f http://h.i"),
        ("a `b_c` snake_case_name", "a b_c snake_case_name"),
        (r"\* &copy; \_x\_ &amp;", "* © _x_ &"),
        ("wrapped\nlines  \nand a break", "wrapped lines\nand a break"),
        ("光合作用\n需要阳光", "光合作用需要阳光"),
        ("a<br>b <b>c</b> <!-- d --> H<sub>2</sub>O x<sup>2</sup>", "a\nb c H₂O x²"),
        ("5 < 6 <b>and</b> 7 > 6", "5 < 6 and 7 > 6"),
        (
            r"let $a*b*c_1$ and \(x_1*y_2*\) and $$\sum_i *a* _b_$$",
            r"let $a*b*c_1$ and \(x_1*y_2*\) and $$\sum_i *a* _b_$$",
        ),
        ("costs $5 and *only* $10", "costs $5 and only $10"),
        ("> quoted *text*\n> goes on", "quoted text goes on"),
    ],
)
def test_markup_disappears_and_its_text_stays(markdown: str, text: str) -> None:
    assert texts(markdown) == [text]


def test_list_entries_stand_on_lines_of_their_own() -> None:
    assert read("before\n\n- a\n- b\n  wrapped\n  1. c\n  2. d\n- e\n\nafter").blocks == [
        Block("before"),
        Block("- a"),
        Block("- b wrapped", is_tight=True),
        Block("  1. c", is_tight=True),
        Block("  2. d", is_tight=True),
        Block("- e", is_tight=True),
        Block("after"),
    ]


def test_a_list_keeps_its_numbers_and_its_further_paragraphs() -> None:
    assert texts("4. a\n\n   more of a\n\n5. b\n") == ["4. a", "more of a", "5. b"]


def test_two_lists_are_apart() -> None:
    assert [block.is_tight for block in read("- a\n- b\n\n1. c\n2. d\n").blocks] == [False, True, False, True]


def test_table_rows_are_lines_of_cells() -> None:
    markdown = "| Port | *Name* |\n|---|:-:|\n| 443 | HTTPS |\n| 80 | |\n\nafter"
    assert read(markdown).blocks == [
        Block("Port | Name"),
        Block("443 | HTTPS", is_tight=True),
        Block("80 | ", is_tight=True),
        Block("after"),
    ]


def test_code_keeps_its_lines_and_indents() -> None:
    assert texts("```python\ndef f():\n    return 1\n```") == ["def f():\n    return 1\n"]


def test_html_between_the_paragraphs_is_read_as_html() -> None:
    markdown = "<div>\n<h2>Title</h2>\n<p>a <b>b</b></p>\n<script>no()</script>\n</div>\n\n<!-- note -->\n\n*c*"
    assert read(markdown).blocks == [Block("Title", 2), Block("a b"), Block("c")]


@pytest.mark.parametrize("quote", ["", '"', "'"])
def test_front_matter_gives_the_title_and_is_no_text(quote: str) -> None:
    document = read(f"---\ntitle: {quote}The *course*{quote}\ntags:\n  - a\n\ndate: 2024-01-01\n---\n\n# One\n")
    assert document.title == "The *course*"
    assert document.blocks == [Block("One", 1)]


def test_a_rule_at_the_top_is_no_front_matter() -> None:
    assert texts("---\nA sentence, not a field.\n\n---\nmore") == ["A sentence, not a field.", "more"]


def test_a_paragraph_of_extreme_length_is_left_as_it_is_written() -> None:
    word = "*a* "
    markdown = word * (INLINE_CHARACTERS_MAX // len(word) + 1)
    assert texts(markdown) == [markdown.strip()]
