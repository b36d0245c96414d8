"""What counts as running prose, and what is heading, code, table or list."""

import pytest

from jobs.offline.blocks import prose


def blocks(text: str) -> list[tuple[str, bool]]:
    return [(text[block.start : block.end].strip(), block.is_list_entry) for block in prose(text)]


def test_paragraphs_are_parted_by_blank_lines() -> None:
    assert blocks("One line\nand its end.\n\nAnother.") == [("One line\nand its end.", False), ("Another.", False)]


@pytest.mark.parametrize(
    "noise",
    [
        "## A heading",
        "A heading\n=========",
        "A heading\n---------",
        "| a | b | c |\n|---|---|---|\n| 1 | 2 | 3 |",
        "a\tb\tc",
        "```python\nThis looks like prose.\n```",
        "~~~\nSo does this.\n~~~",
        "    an indented example",
    ],
)
def test_headings_tables_and_code_are_no_prose(noise: str) -> None:
    assert blocks(f"{noise}\n\nProse.") == [("Prose.", False)]


@pytest.mark.parametrize("marker", ["-", "*", "•", "1.", "2)", "(3)", "a)"])
def test_a_list_entry_is_a_block_without_its_marker(marker: str) -> None:
    assert blocks(f"{marker} Chloroplasts float.\n{marker} Stomata open.") == [
        ("Chloroplasts float.", True),
        ("Stomata open.", True),
    ]


def test_an_entry_goes_on_in_the_lines_below_it() -> None:
    assert blocks("- Chloroplasts float\n  in the cytosol.\n") == [("Chloroplasts float\n  in the cytosol.", True)]


def test_a_heading_inside_a_block_of_lines_parts_it() -> None:
    text = (
        "The stroma is the fluid that fills the interior of the chloroplast of a\nleaf.\n"
        "The Calvin cycle\nSugar is made in the stroma while the sun shines upon the leaves of the\nplant."
    )
    assert [block for block, _ in blocks(text)] == [
        "The stroma is the fluid that fills the interior of the chloroplast of a\nleaf.",
        "Sugar is made in the stroma while the sun shines upon the leaves of the\nplant.",
    ]
