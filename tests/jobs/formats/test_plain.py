"""Plain text: what is a heading, what is a paragraph."""

import pytest

from jobs.formats.base import Block
from jobs.formats.plain import HEADING_CHARACTERS_MAX, WRAPPED_CHARACTERS_MAX, read


@pytest.mark.parametrize(
    ("text", "heading"),
    [
        ("Title\n=====", Block("Title", 1)),
        ("Title\n-----", Block("Title", 2)),
        ("Title\n~~~~~", Block("Title", 3)),
        ("=====\nTitle\n=====", Block("Title", 1)),
        ("Chapter 3: Routing", Block("Chapter 3: Routing", 1)),
        ("CHAPTER IV.\nThe storm", Block("CHAPTER IV. The storm", 1)),
        ("Lecture 12", Block("Lecture 12", 1)),
        ("Kapitel 2 - Netze", Block("Kapitel 2 - Netze", 1)),
        ("LUKU 5 Verkot", Block("LUKU 5 Verkot", 1)),
        ("Appendix B", Block("Appendix B", 1)),
        ("1. Introduction", Block("1. Introduction", 2)),
        ("1 Introduction", Block("1 Introduction", 2)),
        ("1.2 Scope and aims", Block("1.2 Scope and aims", 3)),
        ("1.2.10 Details", Block("1.2.10 Details", 4)),
        ("THE NETWORK LAYER", Block("THE NETWORK LAYER", 2)),
        ("ÜBERSICHT", Block("ÜBERSICHT", 2)),
    ],
)
def test_a_heading_is_recognised(text: str, heading: Block) -> None:
    assert read(text) == [heading]
    assert read(f"before it\n\n{text}\n\nafter it") == [Block("before it"), heading, Block("after it")]


@pytest.mark.parametrize(
    "text",
    [
        "1. Buy milk.",
        "443 is the port of HTTPS, as everyone knows.",
        "Chapter 3 follows on from this and explains at some length, over more than one line, what it is about. " * 2,
        "Part of the work is done.",
        "TCP/IP: 4!",
        "HE SAID:",
        "3.14159",
        "-----",
        "A" * (HEADING_CHARACTERS_MAX + 1),
        "The unit is V",
    ],
)
def test_what_only_resembles_a_heading_is_text(text: str) -> None:
    assert [block.level for block in read(text)] == [0]


def test_a_line_of_capitals_inside_a_paragraph_is_text() -> None:
    assert read("before it\nTHE NETWORK LAYER\nafter it") == [Block("before it THE NETWORK LAYER after it")]


def test_text_may_follow_an_underlined_title_at_once() -> None:
    assert read("One\n===\ntext\n\nTwo\n===\nThree\n-----") == [
        Block("One", 1),
        Block("text"),
        Block("Two", 1),
        Block("Three", 2),
    ]


def test_hard_wrapped_lines_become_one_line_and_hyphens_stay() -> None:
    text = "A paragraph that was\nwrapped by hyphen-\nation, and  \n  indented.\n\n\nThe next."
    assert read(text) == [Block("A paragraph that was wrapped by hyphen- ation, and indented."), Block("The next.")]


def test_wrapped_lines_of_a_script_without_spaces_get_none() -> None:
    assert read("光合作用需要\n阳光和 CO2\n与水。") == [Block("光合作用需要阳光和 CO2 与水。")]


def test_lines_that_nobody_wrapped_are_paragraphs() -> None:
    line = "word " * (WRAPPED_CHARACTERS_MAX // 5) + "end."
    assert read(f"{line}\n{line}\nshort") == [Block(line), Block(line, is_tight=True), Block("short", is_tight=True)]


@pytest.mark.parametrize("marker", ["-", "*", "•", "1.", "2)", "(3)", "a)"])
def test_list_entries_stand_on_lines_of_their_own(marker: str) -> None:
    assert read(f"a list:\n{marker} first\n  wrapped\n  {marker} nested\n{marker} second") == [
        Block("a list:"),
        Block(f"{marker} first wrapped", is_tight=True),
        Block(f"  {marker} nested", is_tight=True),
        Block(f"{marker} second", is_tight=True),
    ]


@pytest.mark.parametrize(
    "text",
    ["    def f():\n        return 1", "Port   Name\n443    HTTPS\n80     HTTP", "a | b\nc | d"],
)
def test_code_and_tables_keep_their_lines(text: str) -> None:
    assert read(text) == [Block(text)]


def test_tabs_keep_columns_apart() -> None:
    assert read("Port\tName\n443\tHTTPS") == [Block("Port\tName\n443\tHTTPS")]
