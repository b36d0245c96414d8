"""Builds XML elements and writes documents of them."""

from lxml import etree
from lxml.etree import _Element as Element

__all__ = ["Element", "document", "element"]


def element(name: str, *content: Element, text: str = "", **attributes: str) -> Element:
    """An element with those children. `text` must be writable in XML (`texts.plain`)."""
    found = etree.Element(name, attributes)
    if text:
        found.text = text
    found.extend(content)
    return found


def document(root: Element, *, is_indented: bool = True) -> bytes:
    """A file of it. Where elements stand within text, as in HTML, spaces between them would be seen: not indented."""
    if is_indented:
        etree.indent(root)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8")) + b"\n"
