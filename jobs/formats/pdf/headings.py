"""Which lines of a PDF are headings: those that its outline names, else those in larger type."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from jobs.formats.pdf.lines import Line

LINES_MAX = 3
LEVEL_MAX = 6
NUMBER_CHARACTERS_MAX = 14
"""What may stand before the title in a heading: "4.1.1", "Chapter four"."""

SIZE_RATIO_MIN = 1.15
SIZES_MAX = 3
GUESSED_CHARACTERS_MAX = 120


class Bookmark(NamedTuple):
    """An entry of the document's outline; pages count from 0, `y` in points where the entry tells it."""

    title: str
    level: int
    page: int
    y: float | None


def marked(pages: Sequence[list[Line]], bookmarks: Sequence[Bookmark]) -> list[list[Line]]:
    """The pages with the level of each heading on its line, which may be several lines in one."""
    return _by_outline(pages, bookmarks) if bookmarks else _by_size(pages)


def _by_outline(pages: Sequence[list[Line]], bookmarks: Sequence[Bookmark]) -> list[list[Line]]:
    found = [list(page) for page in pages]
    starts = Counter[int]()
    for bookmark in bookmarks:
        page = found[bookmark.page]
        start = starts[bookmark.page]
        place, length = _place(page, bookmark.title, start) or (_below(page, bookmark.y, start), 0)
        page[place : place + length] = [_heading(page[place : place + length], bookmark)]
        starts[bookmark.page] = place + 1
    return found


def _heading(lines: Sequence[Line], bookmark: Bookmark) -> Line:
    """As it is printed, or as the outline has it where the page does not show it."""
    level = min(bookmark.level, LEVEL_MAX)
    if not lines:
        return Line(bookmark.title, y=bookmark.y or 0.0, level=level)
    return lines[0]._replace(text=" ".join(line.text for line in lines), level=level, is_code=False)


def _place(page: Sequence[Line], title: str, start: int) -> tuple[int, int] | None:
    """Where the title stands and how many lines it takes."""
    wanted = _letters(title)
    if not wanted:
        return None
    for place in range(start, len(page)):
        if page[place].text.isdigit() and wanted[0].isdigit():
            continue  # the number of the page, or of something else: the title brings its own
        printed = ""
        for length, line in enumerate(page[place : place + LINES_MAX], start=1):
            printed += _letters(line.text)
            before = len(printed) - len(wanted)
            if printed.endswith(wanted) and before <= NUMBER_CHARACTERS_MAX and not line.level:
                return place, length
    return None


def _below(page: Sequence[Line], y: float | None, start: int) -> int:
    """The first line that stands below the place an entry leads to."""
    if y is None:
        return start
    return next((place for place in range(start, len(page)) if page[place].y < y), len(page))


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))


def _by_size(pages: Sequence[list[Line]]) -> list[list[Line]]:
    """The largest sizes above that of most text, unless what is set in them is as long as text."""
    lengths = Counter[float]()
    for page in pages:
        for line in page:
            lengths[line.size] += len(line.text)
    if not lengths:
        return [list(page) for page in pages]
    body = max(lengths, key=lambda size: (lengths[size], -size))
    larger = sorted((size for size in lengths if size >= body * SIZE_RATIO_MIN), reverse=True)
    levels = {size: min(rank, SIZES_MAX) for rank, size in enumerate(larger, start=1)}
    return [list(_joined(line._replace(level=_guess(line, levels)) for line in page)) for page in pages]


def _guess(line: Line, levels: dict[float, int]) -> int:
    is_title = len(line.text) <= GUESSED_CHARACTERS_MAX and any(map(str.isalpha, line.text))
    return levels.get(line.size, 0) if is_title and not line.text.endswith((",", ";")) else 0


def _joined(lines: Iterable[Line]) -> Iterable[Line]:
    """A heading over several lines is one."""
    last: Line | None = None
    for line in lines:
        if last and last.level and last.level == line.level and 0 < last.y - line.y < 2 * line.size:
            last = last._replace(text=f"{last.text} {line.text}", y=line.y)
            continue
        if last:
            yield last
        last = line
    if last:
        yield last
