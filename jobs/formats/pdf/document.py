"""PDF: its pages as lines, its own outline as headings, without what is printed on every page again."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from jobs.formats import markdown, picture
from jobs.formats.base import (
    SECTION_CHARACTERS_MIN,
    Block,
    Document,
    Eyes,
    NoText,
    Picture,
    Tell,
    UnreadableMaterial,
    cleaned,
)
from jobs.formats.pdf.headings import Bookmark, marked
from jobs.formats.pdf.lines import Line, lines_of
from jobs.formats.pdf.paragraphs import paragraphs
from jobs.formats.pdf.running import without_running

PAGES_MAX = 5000
LETTERS_MIN = 3
"""A page with fewer letters is a picture with a page number at most."""

UNMAPPED_SHARE_MAX = 0.3
BOOKMARKS_MAX = 20_000
GUESSED_SECTION_CHARACTERS_MIN = 1500
"""Where headings are only guessed at, as in printed slides, so many characters are too few for a module."""

PICTURES_MAX = 100
SCALE_MAX = 4.0
SHOWN_NUMBERS_MAX = 10


def read(content: bytes, tell: Tell, eyes: Eyes) -> Document:
    """Raises UnreadableMaterial."""
    document = _opened(content)
    try:
        pages = list(_pages(document, tell))
        pictured = [place for place, lines in enumerate(pages) if _is_picture(document, place, lines)]
        bookmarks = _bookmarks(document)
        pictures = tuple(_rendered(document, pictured[:PICTURES_MAX])) if eyes.are_wanted else ()
    finally:
        document.close()
    seen = {int(key) - 1: text for key, text in (eyes.seen or {}).items()}
    if not pictures and not seen:
        _require_words(pages, is_scanned=bool(pictured))
    unseen = [place + 1 for place in pictured[len(pictures) :] if place not in seen]
    return Document(
        title="",
        blocks=list(_blocks(marked(without_running(pages), bookmarks), seen)),
        section_characters_min=SECTION_CHARACTERS_MIN if bookmarks else GUESSED_SECTION_CHARACTERS_MIN,
        notes=(_left_out(unseen),) if unseen else (),
        pictures=pictures,
    )


def _blocks(pages: Sequence[list[Line]], seen: Mapping[int, str]) -> Iterator[Block]:
    """The pages between two pictures are one text."""
    start = 0
    for place in sorted(seen):
        yield from paragraphs(pages[start:place])
        yield from markdown.read(cleaned(seen[place])).blocks
        start = place + 1
    yield from paragraphs(pages[start:])


def _opened(content: bytes) -> pdfium.PdfDocument:
    try:
        document = pdfium.PdfDocument(content)
        count = len(document)
    except pdfium.PdfiumError as error:
        if error.err_code == pdfium_c.FPDF_ERR_PASSWORD:
            raise UnreadableMaterial("it is password-protected; upload it without a password") from error
        raise UnreadableMaterial("it is damaged or was not uploaded to its end") from error
    if not 0 < count <= PAGES_MAX:
        document.close()
        raise UnreadableMaterial(f"it has {count:,} pages: from 1 to {PAGES_MAX:,} are read")
    return document


def _pages(document: pdfium.PdfDocument, tell: Tell) -> Iterator[list[Line]]:
    count = len(document)
    for number in range(count):
        tell(number + 1, count)
        try:
            page = document[number]
        except pdfium.PdfiumError:
            # A page that is broken by itself: those around it are worth reading.
            yield []
            continue
        yield lines_of(page)
        page.close()


def _is_picture(document: pdfium.PdfDocument, place: int, lines: Sequence[Line]) -> bool:
    if sum(map(str.isalpha, "".join(line.text for line in lines))) >= LETTERS_MIN:
        return False
    try:
        page = document[place]
    except pdfium.PdfiumError:
        return False
    found = next(iter(page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE], max_depth=3)), None) is not None
    page.close()
    return found


def _rendered(document: pdfium.PdfDocument, places: Iterable[int]) -> Iterator[Picture]:
    for place in places:
        page = document[place]
        scale = min(picture.EDGE_PIXELS_MAX / max(*page.get_size(), 1), SCALE_MAX)
        bitmap = page.render(scale=scale, may_draw_forms=False)
        yield picture.shrunk(bitmap.to_pil(), str(place + 1))
        bitmap.close()
        page.close()


def _bookmarks(document: pdfium.PdfDocument) -> list[Bookmark]:
    """The outline, as far as it leads to pages that are there."""
    found = []
    for entry in document.get_toc():
        destination = entry.get_dest()
        page = destination.get_index() if destination else None
        title = " ".join(entry.get_title().split())
        if title and page is not None and 0 <= page < len(document):
            found.append(Bookmark(title, entry.level + 1, page, _height(destination)))
        if len(found) >= BOOKMARKS_MAX:
            break
    return found


def _height(destination: pdfium.PdfDest) -> float | None:
    mode, view = destination.get_view()
    if mode == pdfium_c.PDFDEST_VIEW_XYZ and len(view) > 1:
        return float(view[1])
    return float(view[0]) if mode == pdfium_c.PDFDEST_VIEW_FITH and view else None


def _require_words(pages: Sequence[Sequence[Line]], *, is_scanned: bool) -> None:
    text = "".join(line.text for page in pages for line in page)
    if not any(map(str.isalnum, text)):
        if is_scanned:
            raise NoText("it holds no text: its pages are pictures, as of a scan. Run text recognition (OCR) over it")
        raise NoText("it holds no text")
    unmapped = sum(one == "\ufffd" or unicodedata.category(one) in {"Co", "Cn", "Cc"} for one in text)
    if unmapped > UNMAPPED_SHARE_MAX * len(text):
        raise UnreadableMaterial(
            "it does not say which letters its signs stand for; run text recognition (OCR) over it"
        )


def _left_out(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:SHOWN_NUMBERS_MAX])) + (" ..." if len(numbers) > SHOWN_NUMBERS_MAX else "")
    word, verb = ("page", "is a picture") if len(numbers) == 1 else ("pages", "are pictures")
    return f"{word} {shown} {verb} without text and left out"
