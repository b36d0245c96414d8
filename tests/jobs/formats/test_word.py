"""Word: headings by their styles, lists and tables as one reads them, and no word that Word does not show."""

import docx
import pytest
from docx.oxml import parse_xml

from jobs.formats import word as reader
from jobs.formats.base import Block, UnreadableMaterial
from jobs.formats.office import NAMESPACES
from tests.documents import PROSE, part, pdf, saved, slide_deck, with_part, word, zipped

DOCUMENT = "word/document.xml"
NAMES = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in NAMESPACES.items()) + ' xmlns:wps="urn:any"'


def blocks(content: bytes) -> list[Block]:
    return reader.read(content).blocks


def body(inner: str) -> bytes:
    """A document with this between its first paragraph and its end."""
    document = docx.Document()
    paragraph = document.add_paragraph("First.")
    for element in list(parse_xml(f"<w:body {NAMES}>{inner}</w:body>")):
        document.element.body.insert(len(document.element.body) - 1, element)
    assert paragraph.text
    return saved(document)


def run(text: str) -> str:
    return f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'


def test_headings_have_the_levels_of_their_styles() -> None:
    content = word(("Title", "Plants"), ("Heading 1", "Leaves"), ("Heading 2", "Light"), ("Normal", PROSE))
    assert [(block.text, block.level) for block in blocks(content)] == [
        ("Plants", 1),
        ("Leaves", 1),
        ("Light", 2),
        (PROSE.strip(), 0),
    ]


def test_a_style_of_the_author_s_own_is_a_heading_when_it_is_based_on_one() -> None:
    document = docx.Document()
    style = document.styles.add_style("Kapitel", 1)
    style.base_style = document.styles["Heading 2"]
    document.add_paragraph("Blätter", style="Kapitel")
    assert blocks(saved(document)) == [Block("Blätter", 2)]


def test_lists_have_numbers_or_dashes() -> None:
    content = word(
        ("List Bullet", "leaves"), ("List Bullet", "roots"), ("List Number", "dig"), ("List Number", "plant")
    )
    assert [block.text for block in blocks(content)] == ["- leaves", "- roots", "1. dig", "2. plant"]
    assert [block.is_tight for block in blocks(content)] == [False, True, True, True]


def test_a_table_is_rows_of_cells_and_a_frame_is_text() -> None:
    document = docx.Document()
    table = document.add_table(2, 2)
    for cell, text in zip((*table.rows[0].cells, *table.rows[1].cells), ("Part", "Task", "Leaf", "Sugar"), strict=True):
        cell.text = text
    document.add_table(1, 1).rows[0].cells[0].text = "In a frame."
    assert blocks(saved(document)) == [
        Block("Part | Task"),
        Block("Leaf | Sugar", is_tight=True),
        Block("In a frame."),
    ]


def test_what_was_inserted_counts_and_what_was_deleted_does_not() -> None:
    content = body(
        f"<w:p>{run('Roots ')}<w:ins>{run('take up ')}</w:ins><w:del><w:r><w:delText>lose </w:delText></w:r></w:del>"
        f"<w:hyperlink>{run('water')}</w:hyperlink><w:r><w:tab/><w:t>and</w:t><w:br/><w:t>minerals</w:t></w:r></w:p>"
    )
    assert blocks(content)[1].text == "Roots take up water and\nminerals"


def test_content_controls_formulas_and_text_boxes_are_read_once() -> None:
    box = f"<w:txbxContent><w:p>{run('In a box.')}</w:p></w:txbxContent>"
    content = body(
        f"<w:sdt><w:sdtContent><w:p>{run('In a control.')}</w:p></w:sdtContent></w:sdt>"
        f"<w:p>{run('E = ')}<m:oMath><m:r><m:t>mc²</m:t></m:r></m:oMath><w:r><mc:AlternateContent><mc:Choice>"
        f"<wps:txbx>{box}</wps:txbx></mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r></w:p>"
    )
    assert [block.text for block in blocks(content)] == ["First.", "In a control.", "E = mc²", "In a box."]


def test_footnotes_follow_their_paragraph() -> None:
    notes = (
        f"<w:footnotes {NAMES}><w:footnote w:id='0'><w:p/></w:footnote>"
        f"<w:footnote w:id='2'><w:p>{run('As Hooke saw.')}</w:p></w:footnote></w:footnotes>"
    )
    content = body("<w:p><w:r><w:t>Cells.</w:t></w:r><w:r><w:footnoteReference w:id='2'/></w:r></w:p>")
    content = with_part(content, "word/footnotes.xml", notes)
    types = part(content, "[Content_Types].xml").replace(
        b"</Types>",
        b'<Override PartName="/word/footnotes.xml" ContentType="application/vnd.openxmlformats-officedocument.'
        b'wordprocessingml.footnotes+xml"/></Types>',
    )
    relations = part(content, "word/_rels/document.xml.rels").replace(
        b"</Relationships>",
        b'<Relationship Id="rId99" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"'
        b' Target="footnotes.xml"/></Relationships>',
    )
    content = with_part(with_part(content, "[Content_Types].xml", types), "word/_rels/document.xml.rels", relations)
    assert [block.text for block in blocks(content)] == ["First.", "Cells.", "As Hooke saw."]


@pytest.mark.parametrize(
    "content",
    [
        zipped({"a.txt": "no document"}),
        zipped({"[Content_Types].xml": "<Types"}),
        slide_deck(("Leaves", "They are green.", "")),
        with_part(word(("Normal", "Leaves.")), DOCUMENT, b"<w:document"),
        word(("Normal", "Leaves."))[:2000],
        b"PK\x03\x04",
        pdf("Leaves."),
    ],
    ids=["other zip", "broken types", "slides", "broken part", "truncated", "four bytes", "pdf"],
)
def test_what_is_no_word_document_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableMaterial):
        blocks(content)
