"""Word files: paragraphs, lists, tables, footnotes and text boxes in the order of the page."""

import zipfile
from collections import Counter
from collections.abc import Iterator
from io import BytesIO

import docx
from docx.document import Document as WordDocument
from docx.opc.exceptions import PackageNotFoundError
from lxml import etree  # type: ignore[import-untyped, unused-ignore] # it ships no types

from jobs.formats.base import Block, Document, UnreadableMaterial
from jobs.formats.office import require_package, tag, text_of

LEVEL_MAX = 6
DEPTH_MAX = 20
"""Styles can be based on each other in a circle."""

NOTES = "footnotes", "endnotes"

_PARAGRAPH, _TABLE, _ROW, _CELL, _BOX = map(tag, ("w:p", "w:tbl", "w:tr", "w:tc", "w:txbxContent"))
_SECTION_PROPERTIES = tag("w:sectPr")
_VALUE = tag("w:val")
_BOXES = frozenset({_BOX})
_CONTAINERS = frozenset(map(tag, ("w:sdt", "w:sdtContent", "w:ins", "w:moveTo", "w:customXml", "w:smartTag")))


def read(content: bytes) -> Document:
    """Raises UnreadableMaterial."""
    require_package(content)
    try:
        document = docx.Document(BytesIO(content))
        return Document(title="", blocks=list(_Reader(document).blocks()))
    except (KeyError, ValueError, PackageNotFoundError, zipfile.BadZipFile, etree.XMLSyntaxError) as error:
        raise UnreadableMaterial("it is damaged or no Word document") from error


class _Reader:
    """Walks the document once. It must not meet a style or a list that only another document knows."""

    def __init__(self, document: WordDocument) -> None:
        self._body = document.element.body
        self._styles = {style.get(tag("w:styleId")): style for style in document.styles.element.iter(tag("w:style"))}
        self._levels: dict[str, int] = {}
        self._numbered = _numbered_lists(document)
        self._numbers = Counter[tuple[str, int]]()
        self._notes = _notes(document)
        self._was_entry = False

    def blocks(self) -> Iterator[Block]:
        yield from self._children(self._body)

    def _children(self, parent: etree._Element) -> Iterator[Block]:
        for child in parent:
            if child.tag == _PARAGRAPH:
                yield from self._paragraph(child)
            elif child.tag == _TABLE:
                yield from self._table(child)
            elif child.tag in _CONTAINERS:
                yield from self._children(child)

    def _paragraph(self, paragraph: etree._Element) -> Iterator[Block]:
        text = text_of(paragraph, skipped=_BOXES).strip()
        level = self._level(paragraph)
        marker = "" if level else self._marker(paragraph)
        if text:
            yield Block(marker + text, level, is_tight=bool(marker) and self._was_entry)
        self._was_entry = bool(marker)
        for kind, notes in self._notes.items():
            for reference in paragraph.iter(tag(f"w:{kind[:-1]}Reference")):
                note = notes.get(reference.get(tag("w:id")), "")
                if note:
                    yield Block(note)
        for box in paragraph.iter(_BOX):
            if not _is_fallback(box):
                yield from self._children(box)

    def _table(self, table: etree._Element) -> Iterator[Block]:
        rows = [[cell for cell in row.iter(_CELL) if _owner(cell) is table] for row in table.iter(_ROW)]
        if all(len(row) <= 1 for row in rows):  # a frame around text
            for row in rows:
                for cell in row:
                    yield from self._children(cell)
            return
        is_first = True
        for row in rows:
            cells = [" ".join(filter(None, map(_cell_text, cell.iter(_PARAGRAPH)))) for cell in row]
            if any(cells):
                yield Block(" | ".join(cells), is_tight=not is_first)
                is_first = False

    def _level(self, paragraph: etree._Element) -> int:
        """1 to 6 for a heading."""
        own = paragraph.find(f"{tag('w:pPr')}/{tag('w:outlineLvl')}")
        if own is not None:
            return _outline_level(own)
        style = paragraph.find(f"{tag('w:pPr')}/{tag('w:pStyle')}")
        return self._style_level(style.get(_VALUE, "")) if style is not None else 0

    def _style_level(self, style_id: str) -> int:
        if style_id not in self._levels:
            self._levels[style_id] = self._inherited_level(style_id)
        return self._levels[style_id]

    def _inherited_level(self, style_id: str) -> int:
        for _ in range(DEPTH_MAX):
            style = self._styles.get(style_id)
            if style is None:
                return 0
            outline = style.find(f"{tag('w:pPr')}/{tag('w:outlineLvl')}")
            if outline is not None:
                return _outline_level(outline)
            name = style.find(tag("w:name"))
            if name is not None and name.get(_VALUE, "").lower() == "title":
                return 1
            base = style.find(tag("w:basedOn"))
            style_id = base.get(_VALUE, "") if base is not None else ""
        return 0

    def _marker(self, paragraph: etree._Element) -> str:
        """What stands before an entry of a list: a number where Word would show one, else a dash."""
        properties = paragraph.find(f"{tag('w:pPr')}/{tag('w:numPr')}")
        if properties is None:
            properties = self._style_numbering(paragraph)
        if properties is None:
            return ""
        number, depth = _number(properties, "w:numId"), int(_number(properties, "w:ilvl") or 0)
        if number == "0":  # no list after all
            return ""
        indent = "  " * min(depth, DEPTH_MAX)
        if (number, depth) not in self._numbered:
            return f"{indent}- "
        self._numbers[number, depth] += 1
        for deeper in [key for key in self._numbers if key[0] == number and key[1] > depth]:
            del self._numbers[deeper]
        return f"{indent}{self._numbers[number, depth]}. "

    def _style_numbering(self, paragraph: etree._Element) -> etree._Element | None:
        style = paragraph.find(f"{tag('w:pPr')}/{tag('w:pStyle')}")
        found = self._styles.get(style.get(_VALUE, "")) if style is not None else None
        return found.find(f"{tag('w:pPr')}/{tag('w:numPr')}") if found is not None else None


def _outline_level(outline: etree._Element) -> int:
    """Word counts from 0; 9 is body text."""
    value = outline.get(_VALUE, "")
    return min(int(value) + 1, LEVEL_MAX) if value in set("012345678") else 0


def _number(properties: etree._Element, name: str) -> str:
    found = properties.find(tag(name))
    value = found.get(_VALUE, "") if found is not None else ""
    return value if value.isascii() and value.isdigit() and len(value) < 6 else ""


def _numbered_lists(document: WordDocument) -> set[tuple[str, int]]:
    """The levels of lists that count; the others have bullets."""
    part = next((one.target_part for one in document.part.rels.values() if one.reltype.endswith("/numbering")), None)
    if part is None:
        return set()
    root = etree.fromstring(part.blob, _parser())
    counting: dict[str, set[int]] = {}
    for abstract in root.iter(tag("w:abstractNum")):
        counting[abstract.get(tag("w:abstractNumId"), "")] = {
            int(level.get(tag("w:ilvl"), "0"))
            for level in abstract.iter(tag("w:lvl"))
            if (kind := level.find(tag("w:numFmt"))) is not None and kind.get(_VALUE) not in {"bullet", "none"}
        }
    found = set()
    for number in root.iter(tag("w:num")):
        depths = counting.get(_number(number, "w:abstractNumId"), set())
        found |= {(number.get(tag("w:numId"), ""), depth) for depth in depths}
    return found


def _notes(document: WordDocument) -> dict[str, dict[str, str]]:
    """The text of each footnote and endnote by its number."""
    found: dict[str, dict[str, str]] = {}
    for relation in document.part.rels.values():
        kind = relation.reltype.rpartition("/")[2]
        if kind in NOTES and not relation.is_external:
            root = etree.fromstring(relation.target_part.blob, _parser())
            found[kind] = {
                note.get(tag("w:id"), ""): " ".join(filter(None, map(_cell_text, note.iter(_PARAGRAPH))))
                for note in root
            }
    return found


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


def _cell_text(paragraph: etree._Element) -> str:
    return " ".join(text_of(paragraph, skipped=_BOXES).split())


def _owner(cell: etree._Element) -> etree._Element | None:
    """The table a cell belongs to."""
    return next(cell.iterancestors(_TABLE), None)


def _is_fallback(box: etree._Element) -> bool:
    return next(box.iterancestors(tag("mc:Fallback")), None) is not None
