"""What is printed on every page again, at its top or bottom: no text of the document."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from jobs.formats.pdf.lines import Line

PAGES_MIN = 4
REPEATED_SHARE_MIN = 0.5
LINES_MAX = 2
"""So many lines at the top, and at the bottom, can be such."""

SIZE_RATIO_MAX = 1.15
"""What is set larger than most text is a title, even when the next page has it again."""

POINTS = 3.0
"""Lines whose baselines differ by less stand in the same place."""

_NUMBER = re.compile(r"\d+|\b[ivxlc]{1,7}\b", re.IGNORECASE)


def without_running(pages: Sequence[list[Line]]) -> list[list[Line]]:
    """A place is one for running heads when most of what stands there, at the edge of pages, is repeated."""
    lengths: Counter[float] = Counter()
    for page in pages:
        for line in page:
            lengths[line.size] += len(line.text)
    size_max = SIZE_RATIO_MAX * max(lengths, key=lambda size: lengths[size], default=0.0)
    left = [list(page) for page in pages]
    for edge in (max, min):
        for _ in range(LINES_MAX):
            left = _without_edge(left, edge, size_max)
    return left


def _without_edge(pages: list[list[Line]], edge: Callable[..., Line], size_max: float) -> list[list[Line]]:
    edges = {number: edge(page, key=lambda line: line.y) for number, page in enumerate(pages) if page}
    places: dict[int, list[int]] = defaultdict(list)
    for number, line in edges.items():
        if line.size <= size_max:
            places[_place(line)].append(number)
    running = {place for place, numbers in places.items() if _is_running(edges, numbers)}
    return [
        [line for line in page if line.size > size_max or line.y != edges[number].y or _place(line) not in running]
        for number, page in enumerate(pages)
    ]


def _is_running(edges: dict[int, Line], numbers: Sequence[int]) -> bool:
    """Whether most of these lines say what a page nearby says too, or count the pages."""
    offsets = Counter(offset for number in numbers for offset in _offsets(edges[number], number))
    if all(edges[number].text.isdigit() for number in numbers):
        return len(numbers) > 1 and max(offsets.values(), default=0) == len(numbers)
    repeated = 0
    for number in numbers:
        form = _form(edges[number])
        near = (edges.get(number + distance) for distance in (-2, -1, 1, 2))
        is_counted = any(offsets[offset] >= PAGES_MIN for offset in _offsets(edges[number], number))
        repeated += is_counted or (form != "" and any(line and _form(line) == form for line in near))
    return len(numbers) >= PAGES_MIN and repeated >= REPEATED_SHARE_MIN * len(numbers)


def _offsets(line: Line, number: int) -> set[int]:
    """By how much a number at the line's start or end differs from the page's."""
    words = line.text.split()
    return {int(word) - number for word in (words[0], words[-1]) if word.isascii() and word.isdigit() and len(word) < 6}


def _form(line: Line) -> str:
    """The words of a line whatever its page number."""
    return "".join(filter(str.isalpha, _NUMBER.sub("", line.text).casefold()))


def _place(line: Line) -> int:
    return round(line.y / POINTS)
