"""PowerPoint files: slides with their notes, by the presentation's own sections."""

import zipfile
from collections.abc import Iterator
from io import BytesIO

import pptx
from lxml import etree  # type: ignore[import-untyped, unused-ignore] # it ships no types
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.exc import PackageNotFoundError
from pptx.presentation import Presentation
from pptx.shapes.base import BaseShape
from pptx.slide import Slide

from jobs.formats.base import Block, Document, Tell, UnreadableMaterial
from jobs.formats.office import NAMESPACES, require_package, tag, text_of

SLIDES_MAX = 2000
DEPTH_MAX = 20
SECTION_CHARACTERS_MIN = 1500
"""A slide alone is too little to ask about."""

SECTION_LEVEL, SLIDE_LEVEL = 1, 2
NOTES_MARK = "Notes: "

_FURNITURE = frozenset({PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER, PP_PLACEHOLDER.HEADER})
_TITLES = frozenset({PP_PLACEHOLDER.TITLE, PP_PLACEHOLDER.CENTER_TITLE, PP_PLACEHOLDER.VERTICAL_TITLE})
_DIAGRAM = "/diagramData"


def read(content: bytes, tell: Tell) -> Document:
    """Raises UnreadableMaterial."""
    require_package(content)
    try:
        presentation = pptx.Presentation(BytesIO(content))
        return _document(presentation, tell)
    except (KeyError, ValueError, AttributeError, PackageNotFoundError, zipfile.BadZipFile) as error:
        raise UnreadableMaterial("it is damaged or no PowerPoint presentation") from error
    except etree.XMLSyntaxError as error:
        raise UnreadableMaterial("it is damaged or no PowerPoint presentation") from error


def _document(presentation: Presentation, tell: Tell) -> Document:
    slides = list(presentation.slides)
    if len(slides) > SLIDES_MAX:
        raise UnreadableMaterial(f"it has {len(slides):,} slides: at most {SLIDES_MAX:,} are read")
    sections = _sections(presentation)
    blocks: list[Block] = []
    hidden = 0
    for number, slide in enumerate(slides, start=1):
        tell(number, len(slides))
        if slide.slide_id in sections:
            blocks.append(Block(sections[slide.slide_id], SECTION_LEVEL))
        if slide.element.get("show") == "0":
            hidden += 1
        else:
            blocks += _slide(slide, is_section=not sections and _opens_section(slide))
    notes = (f"{hidden} hidden {'slide was' if hidden == 1 else 'slides were'} left out",) if hidden else ()
    return Document("", blocks, section_characters_min=SECTION_CHARACTERS_MIN, notes=notes)


def _sections(presentation: Presentation) -> dict[int, str]:
    """The presentation's own sections, each under the id of its first slide."""
    found = {}
    for section in presentation.element.iter(tag("p14:section")):
        first = next(section.iter(tag("p14:sldId")), None)
        name = " ".join(section.get("name", "").split())
        if first is not None and name and first.get("id", "").isdigit():
            found[int(first.get("id"))] = name
    return found


def _opens_section(slide: Slide) -> bool:
    """Where there are no sections, the slides made to announce one."""
    return bool(slide.slide_layout.element.get("type") == "secHead")


def _slide(slide: Slide, *, is_section: bool) -> Iterator[Block]:
    shapes = [shape for shape in _flat(slide.shapes) if _placeholder(shape) not in _FURNITURE]
    titles = [shape for shape in shapes if _placeholder(shape) in _TITLES]
    for shape in titles[:1]:
        title = " ".join(" ".join(_lines(shape.element)).split())
        if title:
            yield Block(title, SECTION_LEVEL if is_section else SLIDE_LEVEL)
    for shape in shapes:
        if shape not in titles[:1]:
            yield from _shape(slide, shape)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        note = "\n".join(_lines(slide.notes_slide.notes_text_frame._txBody))  # noqa: SLF001 # text with line breaks
        if note.strip():
            yield Block(NOTES_MARK + note.strip())


def _flat(shapes: object, depth: int = 0) -> Iterator[BaseShape]:
    for shape in shapes:  # type: ignore[attr-defined] # pptx types its collections loosely
        inner = getattr(shape, "shapes", None)
        if inner is not None and depth < DEPTH_MAX:
            yield from _flat(inner, depth + 1)
        else:
            yield shape


def _placeholder(shape: BaseShape) -> PP_PLACEHOLDER | None:
    return shape.placeholder_format.type if shape.is_placeholder else None


def _shape(slide: Slide, shape: BaseShape) -> Iterator[Block]:
    element = shape.element
    rows = list(element.iter(tag("a:tr")))
    if rows:
        for place, row in enumerate(rows):
            cells = [" ".join(" ".join(_lines(cell)).split()) for cell in row.iter(tag("a:tc"))]
            yield Block(" | ".join(cells), is_tight=place > 0)
        return
    place = 0
    for paragraph in _paragraphs(element):
        text = text_of(paragraph).strip()
        if text:
            yield Block(_indent(paragraph) + text, is_tight=place > 0)
            place += 1
    yield from _diagram(slide, element)


def _diagram(slide: Slide, element: etree._Element) -> Iterator[Block]:
    """The words of a SmartArt drawing, which stand in a part of their own."""
    for reference in element.iter("{http://schemas.openxmlformats.org/drawingml/2006/diagram}relIds"):
        relation = slide.part.rels.get(reference.get(f"{{{NAMESPACES['r']}}}dm", ""))
        if relation is not None and not relation.is_external and relation.reltype.endswith(_DIAGRAM):
            root = etree.fromstring(relation.target_part.blob, etree.XMLParser(resolve_entities=False, no_network=True))
            for place, line in enumerate(filter(None, map(str.strip, _lines(root)))):
                yield Block(f"- {line}", is_tight=place > 0)


def _lines(element: etree._Element) -> list[str]:
    return [text_of(paragraph) for paragraph in _paragraphs(element)]


def _paragraphs(element: etree._Element) -> Iterator[etree._Element]:
    for paragraph in element.iter(tag("a:p")):
        if next(paragraph.iterancestors(tag("mc:Fallback")), None) is None:
            yield paragraph


def _indent(paragraph: etree._Element) -> str:
    """Deeper lines of a slide are entries below the line before."""
    properties = paragraph.find(tag("a:pPr"))
    level = properties.get("lvl", "0") if properties is not None else "0"
    depth = int(level) if level.isdigit() and len(level) < 3 else 0
    return "  " * min(depth, DEPTH_MAX) + "- " if depth else ""
