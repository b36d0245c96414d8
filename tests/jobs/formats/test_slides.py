"""PowerPoint: slides with their notes, under the sections of the presentation."""

import pptx
import pytest
from pptx.oxml import parse_xml
from pptx.util import Inches

from jobs.formats import slides as reader
from jobs.formats.base import Block, Document, UnreadableMaterial
from jobs.sections import modules_of
from tests.documents import PROSE, saved, slide_deck, with_part, word

SECTIONS = "http://schemas.microsoft.com/office/powerpoint/2010/main"


def read(content: bytes) -> Document:
    return reader.read(content, lambda _page, _pages: None)


def test_a_slide_is_its_title_its_text_and_its_notes() -> None:
    content = slide_deck(("Leaves", "They are green.\nThey make sugar.", "Ask who has seen a chloroplast."))
    assert read(content).blocks == [
        Block("Leaves", 2),
        Block("They are green."),
        Block("They make sugar.", is_tight=True),
        Block("Notes: Ask who has seen a chloroplast."),
    ]


def test_tables_groups_and_deeper_lines_are_read() -> None:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "Plants"
    frame = slide.placeholders[1].text_frame
    frame.text = "Parts"
    line = frame.add_paragraph()
    line.text, line.level = "Leaf", 1
    table = slide.shapes.add_table(1, 2, 0, 0, Inches(2), Inches(1)).table
    table.cell(0, 0).text, table.cell(0, 1).text = "Root", "Water"
    slide.shapes.add_group_shape().shapes.add_textbox(0, 0, 1, 1).text_frame.text = "In a group."
    assert [block.text for block in read(saved(deck)).blocks] == [
        "Plants",
        "Parts",
        "  - Leaf",
        "Root | Water",
        "In a group.",
    ]


def test_the_sections_of_the_presentation_are_the_modules() -> None:
    deck = pptx.Presentation()
    for number in range(6):
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = f"Slide {number}"
        slide.placeholders[1].text = PROSE * 4
    ids = [slide.slide_id for slide in deck.slides]
    listed = "".join(
        f'<p14:section name="{name}" id="{{0}}"><p14:sldIdLst><p14:sldId id="{first}"/></p14:sldIdLst></p14:section>'
        for name, first in (("Leaves", ids[0]), ("Roots", ids[4]))
    )
    deck.element.append(parse_xml(f'<p14:sectionLst xmlns:p14="{SECTIONS}">{listed}</p14:sectionLst>'))
    document = read(saved(deck))
    found = modules_of(document.blocks, "deck", section_characters_min=document.section_characters_min)
    assert [module.name for module in found] == ["Leaves", "Roots"]
    assert "Slide 3" in found[0].text
    assert "Slide 4" in found[1].text


def test_without_sections_short_slides_are_put_together() -> None:
    content = slide_deck(*((f"Slide {number}", PROSE, "") for number in range(20)))
    document = read(content)
    found = modules_of(document.blocks, "deck", section_characters_min=document.section_characters_min)
    assert 1 < len(found) < 5
    assert all(len(module.text) >= reader.SECTION_CHARACTERS_MIN for module in found)


def test_slides_that_announce_a_section_begin_one() -> None:
    deck = pptx.Presentation()
    for layout, title in ((2, "Leaves"), (1, "Light"), (2, "Roots")):
        deck.slides.add_slide(deck.slide_layouts[layout]).shapes.title.text = title
    assert [(block.text, block.level) for block in read(saved(deck)).blocks] == [
        ("Leaves", 1),
        ("Light", 2),
        ("Roots", 1),
    ]


def test_hidden_slides_are_left_out_and_named() -> None:
    deck = pptx.Presentation()
    for title in ("Shown", "Hidden"):
        deck.slides.add_slide(deck.slide_layouts[1]).shapes.title.text = title
    deck.slides[1].element.set("show", "0")
    document = read(saved(deck))
    assert [block.text for block in document.blocks] == ["Shown"]
    assert document.notes == ("1 hidden slide was left out",)


@pytest.mark.parametrize(
    "content",
    [
        word(("Normal", "Leaves.")),
        slide_deck(("Leaves", "Green.", ""))[:3000],
        with_part(slide_deck(("Leaves", "Green.", "")), "ppt/slides/slide1.xml", b"<p:sld"),
    ],
    ids=["word", "truncated", "broken part"],
)
def test_what_is_no_presentation_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableMaterial):
        read(content)
