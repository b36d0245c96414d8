"""What is a heading, in Markdown and in plain text."""

from jobs.offline.headings import headings_in


def titles(text: str) -> list[str]:
    return [heading.title for heading in headings_in(text)]


def test_marked_and_underlined_lines_are_headings() -> None:
    text = "# One *thing* #\n\nText.\n\nTwo\n===\nText.\n\n### Three\nText.\n"
    assert titles(text) == ["One thing", "Two", "Three"]


def test_a_short_line_that_stands_alone_is_a_heading() -> None:
    text = "The Calvin cycle\n\nIt fixes carbon dioxide.\n\nLimiting factors\n\nThere are three of them."
    assert titles(text) == ["The Calvin cycle", "Limiting factors"]


def test_what_is_below_a_heading_begins_where_its_line_ends() -> None:
    text = "Intro.\n\n## Roots\nRoots take up water."
    [heading] = headings_in(text)
    assert text[heading.end :] == "Roots take up water."


def test_sentences_lists_tables_code_and_the_last_line_are_none() -> None:
    text = (
        "Roots take up water.\n\nand so on\n\n- An entry\n\n| a | b |\n\n```\n# comment\n```\n\n12 345\n\n"
        "One two three four five six seven eight nine ten eleven\n\nThe end"
    )
    assert titles(text) == []
