"""The lines of a PDF page as the library finds them: text, place, size and kind of letter."""

import ctypes
import re
from itertools import pairwise
from typing import NamedTuple

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

CHARACTERS_PER_PAGE_MAX = 200_000
HYPHEN = "\x02"
"""Stands at the end of a line whose last word is divided; its second part begins the next line."""

_MONOSPACE = re.compile(rb"mono|courier|consol|typewriter|code|cmtt|cmsltt|lmtt|menlo|fixed", re.IGNORECASE)
_BOLD = re.compile(rb"bold|black|heavy|cmbx|-b\b|-bd", re.IGNORECASE)
_LINE_ENDS = frozenset(map(ord, "\r\n"))
_DIVISIONS = frozenset({ord(HYPHEN), 0xFFFE})


class Line(NamedTuple):
    """`x`, `right` and `y` (of the baseline) in points from the lower left; `level` of a heading, else 0."""

    text: str
    x: float = 0.0
    right: float = 0.0
    y: float = 0.0
    size: float = 10.0
    is_code: bool = False
    is_bold: bool = False
    level: int = 0


def lines_of(page: pdfium.PdfPage) -> list[Line]:
    """In the order of the page's content; empty ones are left out."""
    text_page = page.get_textpage()
    try:
        count = min(text_page.count_chars(), CHARACTERS_PER_PAGE_MAX)
        codes = [pdfium_c.FPDFText_GetUnicode(text_page.raw, index) for index in range(count)]
        # The library takes a line after a divided word for the rest of the same one.
        ends = [index + 1 for index, code in enumerate(codes) if code in _LINE_ENDS or code in _DIVISIONS]
        return [line for start, end in pairwise([0, *ends, count]) if (line := _line(text_page, codes, start, end))]
    finally:
        text_page.close()


def _line(text_page: pdfium.PdfTextPage, codes: list[int], start: int, end: int) -> Line | None:
    text = _text(codes[start:end])
    shown = [index for index in range(start, end) if codes[index] > 32]
    if not shown:
        return None
    letters = _Letters(text_page)
    first, middle, last = shown[0], shown[len(shown) // 2], shown[-1]
    x, y = letters.origin(first)
    fonts = [letters.font(index) for index in (first, middle, last)]
    return Line(
        text=text,
        x=x,
        right=letters.origin(last)[0],
        y=y,
        size=round(letters.size(middle), 1),
        is_code=all(map(_MONOSPACE.search, fonts)),
        is_bold=all(map(_BOLD.search, fonts)),
    )


def _text(codes: list[int]) -> str:
    # Halves of a surrogate pair come one by one.
    whole = "".join(map(chr, codes)).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return " ".join(whole.replace("\ufffe", HYPHEN).split())


class _Letters:
    """Asks the library about one character at a time."""

    def __init__(self, text_page: pdfium.PdfTextPage) -> None:
        self._raw = text_page.raw
        self._name = ctypes.create_string_buffer(64)
        self._flags = ctypes.c_int()

    def origin(self, index: int) -> tuple[float, float]:
        x, y = ctypes.c_double(), ctypes.c_double()
        pdfium_c.FPDFText_GetCharOrigin(self._raw, index, x, y)
        return x.value, y.value

    def size(self, index: int) -> float:
        size: float = pdfium_c.FPDFText_GetFontSize(self._raw, index)
        return size

    def font(self, index: int) -> bytes:
        """Its name, empty when it is longer than any that tells something."""
        self._name.value = b""
        pdfium_c.FPDFText_GetFontInfo(self._raw, index, self._name, len(self._name), self._flags)
        return self._name.value
