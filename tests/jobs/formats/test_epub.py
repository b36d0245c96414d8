"""EPUB: pages in the order of the spine, headings of the table of contents where a page has none."""

import pytest

from jobs.formats import epub as reader
from jobs.formats.base import Block, Document, UnreadableMaterial
from tests.documents import PROSE, epub, zipped

NCX = (
    '<?xml version="1.0"?><!DOCTYPE ncx PUBLIC "-//NISO//DTD ncx 2005-1//EN" "http://nowhere.example/ncx.dtd">'
    '<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/" version="2005-1"><navMap><navPoint id="a">'
    '<navLabel><text>Roots</text></navLabel><content src="text/p%201.xhtml#top"/></navPoint></navMap></ncx>'
)


def read(content: bytes) -> Document:
    return reader.read(content, lambda _page, _pages: None)


def test_the_pages_come_in_their_order_under_the_book_s_title() -> None:
    found = read(epub("<h1>Leaves</h1><p>Green.</p>", "<h1>Roots</h1><p>Brown.</p>", title="Plants"))
    assert found.title == "Plants"
    assert found.blocks == [Block("Leaves", 1), Block("Green."), Block("Roots", 1), Block("Brown.")]


def test_a_page_without_heading_has_that_of_the_table_of_contents() -> None:
    assert read(epub("<p>Green.</p>", "<p>Brown.</p>", toc=NCX)).blocks == [
        Block("Green."),
        Block("Roots", 1),
        Block("Brown."),
    ]


def test_scripts_are_no_text() -> None:
    assert read(epub("<script>alert(1)</script><p>Green.</p>")).blocks == [Block("Green.")]


def test_garbled_fonts_do_no_harm_and_copy_protection_is_told() -> None:
    def encryption(algorithm: str) -> dict[str, str]:
        return {"META-INF/encryption.xml": f'<encryption><EncryptionMethod Algorithm="{algorithm}"/></encryption>'}

    fonts = epub("<p>Green.</p>", extra=encryption("http://www.idpf.org/2008/embedding"))
    assert read(fonts).blocks == [Block("Green.")]
    with pytest.raises(UnreadableMaterial, match="it is copy-protected"):
        read(epub("<p>Green.</p>", extra=encryption("http://www.w3.org/2001/04/xmlenc#aes128-cbc")))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (zipped({"a.txt": PROSE}), "it is a zip file, but no EPUB"),
        (zipped({reader.CONTAINER: "<container/>"}), "it does not say where its book begins"),
        (zipped({reader.CONTAINER: "<container"}), "its part META-INF/container.xml is damaged"),
        (epub(), "it names no pages"),
        (epub("<p>Green.</p>")[:400], "it is damaged or was not uploaded to its end"),
    ],
)
def test_what_is_no_book_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(UnreadableMaterial, match=said):
        read(content)
