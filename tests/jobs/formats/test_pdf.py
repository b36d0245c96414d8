"""PDF: lines become paragraphs, the outline becomes headings, and what every page repeats is no text."""

import pytest

from jobs.formats.base import BLIND, Block, Document, Eyes, NoText, UnreadableMaterial
from jobs.formats.pdf import document as reader
from tests.documents import PROSE, Entry, Pdf, Text, pdf, scan, wrapped


def read(content: bytes, eyes: Eyes = BLIND) -> Document:
    return reader.read(content, lambda _page, _pages: None, eyes)


def texts(content: bytes) -> list[str]:
    return [block.text for block in read(content).blocks]


def test_the_lines_of_a_paragraph_are_one_and_a_gap_begins_the_next() -> None:
    assert texts(pdf(PROSE, PROSE.upper())) == [PROSE.strip(), PROSE.strip().upper()]


def test_an_indented_line_begins_a_paragraph() -> None:
    first, second = wrapped(PROSE), wrapped(PROSE)
    page = Pdf().page([*first, second[0]._replace(gap=0, indent=15), *second[1:]])
    assert texts(page.bytes()) == [PROSE.strip(), PROSE.strip()]


def test_a_divided_word_is_whole_again_and_a_compound_keeps_its_hyphen() -> None:
    lines = [
        Text("The chloroplasts are where photosyn-"),
        Text("thesis happens. It is a well-known and light-"),
        Text("driven reaction that is often called well-"),
        Text("known, and is also light-driven."),
    ]
    [text] = texts(Pdf().page(lines).bytes())
    assert text == (
        "The chloroplasts are where photosynthesis happens. It is a well-known and light-driven reaction "
        "that is often called well-known, and is also light-driven."
    )


def test_a_paragraph_goes_on_on_the_next_page() -> None:
    lines = wrapped(PROSE)
    note = Text("1 A note at the foot of the page.", size=8, gap=20)
    content = Pdf().page([*lines[:2], note]).page([*lines[2:], *wrapped("Next.")]).bytes()
    assert texts(content) == [PROSE.strip(), "1 A note at the foot of the page.", "Next."]


def test_entries_of_a_list_and_lines_of_code_keep_their_lines() -> None:
    lines = [
        Text("Two parts matter:"),
        Text("- leaves"),
        Text("- roots"),
        Text("for leaf in tree:", gap=10, font="F2"),
        Text("grow(leaf)", indent=26.4, font="F2"),
    ]
    assert read(Pdf().page(lines).bytes()).blocks == [
        Block("Two parts matter:"),
        Block("- leaves", is_tight=True),
        Block("- roots", is_tight=True),
        Block("for leaf in tree:\n    grow(leaf)"),
    ]


def test_the_outline_makes_the_headings_and_their_levels() -> None:
    content = Pdf()
    content.page([Text("1 Leaves", size=16), *wrapped(PROSE), Text("1.1 Light", gap=10), *wrapped(PROSE)])
    content.page([Text("2 Roots", size=16), *wrapped(PROSE)])
    content.outline([Entry("Leaves", 0, (Entry("Light", 0),)), Entry("2 Roots", 1)])
    headings = [(block.text, block.level) for block in read(content.bytes()).blocks if block.level]
    assert headings == [("1 Leaves", 1), ("1.1 Light", 2), ("2 Roots", 1)]


def test_an_entry_that_the_page_does_not_show_is_a_heading_all_the_same() -> None:
    content = Pdf().page(wrapped(PROSE)).page(wrapped(PROSE)).outline([Entry("Leaves", 0), Entry("Roots", 1)])
    blocks = read(content.bytes()).blocks
    assert [(block.text, block.level) for block in blocks if block.level] == [("Leaves", 1), ("Roots", 1)]
    assert blocks[0] == Block("Leaves", 1)


def test_a_heading_over_several_lines_is_one() -> None:
    lines = [Text("Chapter 1"), Text("How leaves turn light"), Text("into sugar"), *wrapped(PROSE)]
    content = Pdf().page(lines).outline([Entry("How leaves turn light into sugar", 0)])
    assert read(content.bytes()).blocks[0] == Block("Chapter 1 How leaves turn light into sugar", 1)


def test_without_an_outline_larger_type_makes_the_headings() -> None:
    lines = [Text("Plants", size=20), Text("Leaves", size=15, gap=12), *wrapped(PROSE)]
    lines += [Text("Roots", size=15, gap=12), *wrapped(PROSE)]
    blocks = read(Pdf().page(lines).bytes()).blocks
    assert [(block.text, block.level) for block in blocks if block.level] == [
        ("Plants", 1),
        ("Leaves", 2),
        ("Roots", 2),
    ]


def test_what_every_page_repeats_is_left_out() -> None:
    content = Pdf()
    ends = ["apple", "pear", "plum", "cherry", "peach", "lemon", "fig", "grape"]
    for number, end in enumerate(ends, start=1):
        chapter = "Leaves" if number < 5 else "Roots"
        content.page(
            wrapped(f"The {end} comes first. {PROSE} It ends with a {end}."),
            header=f"Chapter: {chapter}",
            footer=str(number),
        )
    read_back = " ".join(texts(content.bytes()))
    assert "Chapter:" not in read_back
    assert not any(character.isdigit() for character in read_back)
    assert [f"It ends with a {end}." in read_back for end in ends] == [True] * len(ends)
    assert [f"The {end} comes first." in read_back for end in ends] == [True] * len(ends)


def test_two_pages_are_enough_to_tell_their_numbers() -> None:
    content = (
        Pdf()
        .page([Text("1 Leaves"), *wrapped(PROSE)], footer="7")
        .page([Text("2 Roots"), *wrapped("They hold.")], footer="8")
    )
    headings = content.outline([Entry("1 Leaves", 0), Entry("2 Roots", 1)]).bytes()
    assert texts(headings) == ["1 Leaves", PROSE.strip(), "2 Roots", "They hold."]


def test_a_number_on_a_line_of_its_own_belongs_to_the_title_that_has_none() -> None:
    content = Pdf().page([Text("4"), Text("Leaves", size=20), *wrapped(PROSE)]).outline([Entry("Leaves", 0)])
    assert read(content.bytes()).blocks[0] == Block("4 Leaves", 1)


def test_a_title_that_the_next_slide_has_again_stays() -> None:
    content = Pdf()
    for word in ("one", "two", "three", "four", "five", "six"):
        content.page([Text("Leaves", size=20), *wrapped(f"Point {word} is this. {PROSE} And {word} is done.")])
    assert texts(content.bytes()).count("Leaves") == 6


def test_first_lines_that_differ_are_text() -> None:
    content = Pdf()
    for word in ("one", "two", "three", "four", "five", "six"):
        content.page([Text(f"The {word} thing is that leaves are green."), *wrapped(PROSE)])
    assert sum("thing is that leaves" in text for text in texts(content.bytes())) == 6


def test_progress_is_told_page_by_page() -> None:
    told: list[tuple[int, int]] = []
    content = Pdf().page(wrapped(PROSE)).page(wrapped(PROSE)).page(wrapped(PROSE)).bytes()
    reader.read(content, lambda page, pages: told.append((page, pages)), BLIND)
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_scanned_file_is_refused_with_what_to_do_when_nobody_can_see() -> None:
    with pytest.raises(NoText, match=r"its pages are pictures, as of a scan\. Run text recognition"):
        read(Pdf().page(picture=scan()).bytes())


def test_a_scanned_page_among_others_is_named() -> None:
    content = Pdf().page(wrapped(PROSE)).page(picture=scan()).page(wrapped(PROSE)).bytes()
    assert read(content).notes == ("page 2 is a picture without text and left out",)


def test_scanned_pages_come_along_when_someone_can_see_and_their_texts_take_their_place() -> None:
    content = Pdf().page(wrapped("First.")).page(picture=scan()).page(wrapped("Last.")).bytes()
    [picture] = read(content, Eyes(can_see=True)).pictures
    assert picture.key == "2"
    assert picture.content.startswith(b"\xff\xd8\xff")
    seen = read(content, Eyes(can_see=True, seen={"2": "# Roots\n\nThey hold the plant."}))
    assert [block.text for block in seen.blocks] == ["First.", "Roots", "They hold the plant.", "Last."]
    assert (seen.pictures, seen.notes) == ((), ())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (Pdf().page(wrapped(PROSE)).encrypted().bytes(), "it is password-protected"),
        (pdf(PROSE)[:300], "it is damaged or was not uploaded to its end"),
        (b"%PDF-1.7\n", "it is damaged or was not uploaded to its end"),
        (Pdf().page().bytes(), "it holds no text"),
    ],
    ids=["encrypted", "truncated", "empty", "blank"],
)
def test_a_file_that_can_not_be_read_says_why(content: bytes, said: str) -> None:
    with pytest.raises(UnreadableMaterial, match=said):
        read(content)
