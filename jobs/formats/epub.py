"""EPUB: the book's pages in the order of its spine."""

import posixpath
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import unquote

from lxml import etree  # type: ignore[import-untyped, unused-ignore] # it ships no types

from jobs.formats import decoding, hypertext
from jobs.formats.base import Block, Document, Tell, UnreadableMaterial
from jobs.formats.package import Package

CONTAINER = "META-INF/container.xml"
ENCRYPTION = "META-INF/encryption.xml"
PAGES = frozenset({"application/xhtml+xml", "text/html"})
FONT_ALGORITHMS = frozenset({"http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"})
"""Fonts may be garbled, without any effect on the text."""

LEVEL_MAX = 6


class _Entry(NamedTuple):
    identifier: str
    path: str
    media_type: str
    properties: str


def read(content: bytes, tell: Tell) -> Document:
    """Raises UnreadableMaterial."""
    package = Package(content)
    if not package.has(CONTAINER):
        raise UnreadableMaterial("it is a zip file, but no EPUB")
    package.require_no_definitions((".xml", ".opf", ".ncx"), allow_doctype=True)
    _require_open(package)
    book_path = _book_path(package)
    book = _parsed(package, book_path)
    entries = {entry.identifier: entry for entry in _manifest(book, posixpath.dirname(book_path))}
    spine = [entries[name] for name in _spine(book) if name in entries]
    pages = [entry for entry in spine if entry.media_type in PAGES and "nav" not in entry.properties.split()]
    if not pages:
        raise UnreadableMaterial("it names no pages")
    contents = _contents(package, entries.values())
    blocks: list[Block] = []
    for number, entry in enumerate(pages, start=1):
        tell(number, len(pages))
        blocks += _page(package, entry, contents.get(entry.path))
    return Document(title=_title(book), blocks=blocks)


def _page(package: Package, entry: _Entry, heading: Block | None) -> Iterator[Block]:
    """Its blocks, under the heading of the table of contents when it has none itself."""
    found = hypertext.read(decoding.html_text(package.read(entry.path))).blocks
    if heading and found and not any(block.level for block in found):
        yield heading
    yield from found


def _require_open(package: Package) -> None:
    if not package.has(ENCRYPTION):
        return
    methods = {method.get("Algorithm", "") for method in _named(_parsed(package, ENCRYPTION), "EncryptionMethod")}
    if methods - FONT_ALGORITHMS:
        raise UnreadableMaterial("it is copy-protected")


def _book_path(package: Package) -> str:
    paths = [unquote(root.get("full-path", "")) for root in _named(_parsed(package, CONTAINER), "rootfile")]
    if not paths or not package.has(paths[0]):
        raise UnreadableMaterial("it does not say where its book begins")
    return paths[0]


def _parsed(package: Package, path: str) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        return etree.fromstring(package.read(path), parser)
    except etree.XMLSyntaxError as error:
        raise UnreadableMaterial(f"its part {path} is damaged") from error


def _manifest(book: etree._Element, folder: str) -> Iterator[_Entry]:
    for item in _named(book, "item"):
        yield _Entry(
            identifier=item.get("id", ""),
            path=_joined(folder, item.get("href", "")),
            media_type=item.get("media-type", ""),
            properties=item.get("properties", ""),
        )


def _spine(book: etree._Element) -> list[str]:
    return [item.get("idref", "") for item in _named(book, "itemref")]


def _title(book: etree._Element) -> str:
    return next((" ".join("".join(title.itertext()).split()) for title in _named(book, "title")), "")


def _contents(package: Package, entries: Iterable[_Entry]) -> dict[str, Block]:
    """By the path of a page, the first entry of the older table of contents that leads to it."""
    found: dict[str, Block] = {}
    for entry in entries:
        if entry.media_type != "application/x-dtbncx+xml" or not package.has(entry.path):
            continue
        for point in _named(_parsed(package, entry.path), "navPoint"):
            label = next((" ".join("".join(text.itertext()).split()) for text in _named(point, "text")), "")
            source = next((content.get("src", "") for content in _named(point, "content")), "")
            level = 1 + sum(1 for above in point.iterancestors() if etree.QName(above).localname == "navPoint")
            path = _joined(posixpath.dirname(entry.path), source.partition("#")[0])
            if label:
                found.setdefault(path, Block(label, min(level, LEVEL_MAX)))
    return found


def _joined(folder: str, reference: str) -> str:
    """A path inside the package: what would lead out of it leads nowhere."""
    return posixpath.normpath(posixpath.join(folder, unquote(reference)))


def _named(root: etree._Element, name: str) -> Iterator[etree._Element]:
    """Elements of that name, whatever their namespace: books differ in it."""
    yield from root.iter(f"{{*}}{name}")
