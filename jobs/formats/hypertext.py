"""HTML: what a reader sees of a page, as blocks."""

from lxml import etree  # type: ignore[import-untyped, unused-ignore] # it ships no types

from jobs.formats.base import Document, UnreadableMaterial
from jobs.formats.inline import collapsed
from jobs.formats.page import Page

CHUNK_BYTES = 65_536
# libxml2 walks up all open tags for an end tag that fits none: 300 million steps take about a second.
LOST_STEPS_MAX = 300_000_000


def read(text: str) -> Document:
    """The page's title and blocks. Raises UnreadableMaterial for tags in such disorder that reading them takes ages.

    The parser hands over one tag after the other: there is no tree whose depth could hurt, and 10 MB take a second.
    """
    page = Page()
    parser = etree.HTMLParser(target=page, huge_tree=True, encoding="utf-8")
    content = text.encode("utf-8", "replace")
    lost_steps = 0
    for start in range(0, len(content), CHUNK_BYTES):
        chunk = content[start : start + CHUNK_BYTES]
        ends = page.ends
        parser.feed(chunk)
        lost_steps += max(0, chunk.count(b"</") - (page.ends - ends)) * page.depth
        if lost_steps > LOST_STEPS_MAX:
            raise UnreadableMaterial("the page's tags are nested too deeply and closed in the wrong order")
    if content:
        parser.close()
    return Document(title=collapsed(page.title), blocks=page.blocks)
