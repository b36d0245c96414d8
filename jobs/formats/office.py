"""What Word and PowerPoint files have in common: the package they come in and how XML tells a paragraph's text."""

from collections.abc import Iterator
from typing import Final

from lxml import etree  # type: ignore[import-untyped, unused-ignore] # it ships no types

from jobs.formats.base import UnreadableMaterial
from jobs.formats.package import Package

NAMESPACES: Final = {
    "w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
    "m": "http://schemas.openxmlformats.org/officeDocument/2006/math",
    "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
    "p": "http://schemas.openxmlformats.org/presentationml/2006/main",
    "p14": "http://schemas.microsoft.com/office/powerpoint/2010/main",
    "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
}


def tag(name: str) -> str:
    """`w:p` as lxml writes it."""
    prefix, _, local = name.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}"


_TEXTS: Final = frozenset(map(tag, ("w:t", "a:t", "m:t")))
_SPACES: Final = {tag("w:tab"): " ", tag("w:br"): "\n", tag("w:cr"): "\n", tag("a:br"): "\n", tag("w:ptab"): " "}
_HYPHENS: Final = frozenset({tag("w:noBreakHyphen")})
# What was deleted under "track changes", codes of fields, and the old form of what stands beside it in a newer one.
_UNSEEN: Final = frozenset(
    map(tag, ("w:del", "w:moveFrom", "w:instrText", "w:delText", "mc:Fallback", "w:pPr", "a:pPr", "w:rPr", "a:rPr"))
)


def require_package(content: bytes) -> None:
    """Raises UnreadableMaterial for a package that no Office program writes."""
    package = Package(content)
    if not package.has("[Content_Types].xml"):
        raise UnreadableMaterial("it is a zip file, but no Office document")
    package.require_no_definitions((".xml", ".rels"))


def text_of(paragraph: etree._Element, *, skipped: frozenset[str] = frozenset()) -> str:
    """What a reader sees of it, without the parts named in `skipped`."""
    return "".join(_pieces(paragraph, _UNSEEN | skipped))


def _pieces(element: etree._Element, unseen: frozenset[str]) -> Iterator[str]:
    for child in element:
        if child.tag in _TEXTS:
            yield child.text or ""
        elif child.tag in _SPACES:
            yield _SPACES[child.tag]
        elif child.tag in _HYPHENS:
            yield "-"
        elif child.tag not in unseen:
            yield from _pieces(child, unseen)
