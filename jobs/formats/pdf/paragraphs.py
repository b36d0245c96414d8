"""From the lines of a PDF to its paragraphs, list entries and code, with divided words in one piece again."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from jobs.formats.base import Block, unwrapped
from jobs.formats.pdf.lines import HYPHEN, Line

GAP_RATIO = 1.3
"""More than this between two lines, measured by what is usual in the document, is a new paragraph."""

INDENT_SIZES_MIN, INDENT_SIZES_MAX = 0.7, 6.0
SHORT_SHARE = 0.85
LEADING_SIZES_DEFAULT = 1.2
NOTE_SHARE = 0.93

_ENTRY = re.compile(r"(?:[-*+•‣◦▪\u2013·]|\(?\d{1,3}[.)]|\(?[a-z][.)]|\[\d{1,3}\])\s+\S")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_DIVIDED = re.compile(rf"([^\W\d_]*){HYPHEN} ?([^\W\d_]*)")
_SENTENCE_END = (".", "!", "?", ":", ";", "\u3002", "\u2026", ")", "\u201d", '"')


def paragraphs(pages: Sequence[list[Line]]) -> Iterator[Block]:
    """A paragraph that goes on after the end of its page is one; footnotes follow the paragraph they interrupt."""
    layout = _Layout(pages)
    words = _Words(pages)
    run: list[Line] = []
    notes: list[Line] = []
    for page in pages:
        text, below = layout.parted(page)
        for place, line in enumerate(text):
            if run and layout.is_break(run, line, is_new_page=place == 0):
                yield from _blocks(run, words)
                yield from _apart(notes, layout, words)
                run, notes = [], []
            run.append(line)
        notes += below
    if run:
        yield from _blocks(run, words)
    yield from _apart(notes, layout, words)


def _apart(lines: Sequence[Line], layout: "_Layout", words: "_Words") -> Iterator[Block]:
    run: list[Line] = []
    for line in lines:
        if run and layout.is_break(run, line, is_new_page=False):
            yield from _blocks(run, words)
            run = []
        run.append(line)
    if run:
        yield from _blocks(run, words)


class _Layout:
    """What is usual in the document: the distance of its lines and where they end."""

    def __init__(self, pages: Sequence[list[Line]]) -> None:
        gaps, rights, lengths = Counter[tuple[float, float]](), Counter[int](), Counter[float]()
        for page in pages:
            for line in page:
                lengths[line.size] += len(line.text)
            for above, below in pairwise(page):
                rights[round(above.right / 5)] += 1
                if above.size == below.size and 0 < above.y - below.y < 3 * above.size:
                    gaps[above.size, round(above.y - below.y, 0)] += 1
        self._leading: dict[float, float] = {}
        for (size, gap), _ in gaps.most_common():
            self._leading.setdefault(size, gap)
        self._body = max(lengths, key=lambda size: lengths[size], default=0.0)
        self._right = max((right for right, count in rights.items() if count > 2), default=0) * 5

    def parted(self, page: Sequence[Line]) -> tuple[Sequence[Line], Sequence[Line]]:
        """The text of a page, and the small print at its end."""
        end = len(page)
        while end and page[end - 1].size < NOTE_SHARE * self._body and not page[end - 1].level:
            end -= 1
        return (page[:end], page[end:]) if end else (page, ())

    def is_break(self, run: Sequence[Line], line: Line, *, is_new_page: bool) -> bool:
        last = run[-1]
        if last.level or line.level or last.is_code != line.is_code:
            return not self._is_prose(last, line)
        if line.is_code:
            return is_new_page
        if _ENTRY.match(line.text):
            return True
        if is_new_page or line.y > last.y:
            return not _goes_on(last, line)
        return self._is_apart(run, line)

    def _is_prose(self, last: Line, line: Line) -> bool:
        """A line of code words alone that stands in the middle of a paragraph."""
        if last.level or line.level or _ends_sentence(last.text):
            return False
        return abs(last.x - line.x) < 1 and 0 < last.y - line.y < GAP_RATIO * self._leading_of(line)

    def _is_apart(self, run: Sequence[Line], line: Line) -> bool:
        last = run[-1]
        if abs(last.size - line.size) > 0.1 * last.size and not _goes_on(last, line):
            return True
        if last.y - line.y > GAP_RATIO * max(self._leading_of(last), self._leading_of(line)):
            return True
        indent = line.x - last.x
        is_hanging = len(run) == 1 and _ENTRY.match(run[0].text)
        if INDENT_SIZES_MIN < indent / max(line.size, 1) < INDENT_SIZES_MAX and not is_hanging and last.y > line.y + 1:
            return _ends_sentence(last.text)
        is_short = last.right < self._right * SHORT_SHARE
        return is_short and _ends_sentence(last.text) and line.text[:1].isupper()

    def _leading_of(self, line: Line) -> float:
        return self._leading.get(line.size, LEADING_SIZES_DEFAULT * line.size)


class _Words:
    """Knows the words of the document, and so how one that was divided is written."""

    def __init__(self, pages: Sequence[list[Line]]) -> None:
        self._known = {word for page in pages for line in page for word in _whole_words(line.text)}

    def whole(self, text: str) -> str:
        return _DIVIDED.sub(self._join, text) if HYPHEN in text else text

    def _join(self, match: re.Match[str]) -> str:
        first, second = match.groups()
        if not second or not first:
            return f"{first}-{second}"
        joined, hyphened = first + second, f"{first}-{second}"
        if joined.casefold() in self._known or hyphened.casefold() not in self._known:
            return joined if second[0].islower() or joined.isupper() else hyphened
        return hyphened


def _whole_words(text: str) -> list[str]:
    words = _WORD.findall(text.casefold())
    return words[:-1] if HYPHEN in text else words


def _blocks(run: Sequence[Line], words: _Words) -> Iterator[Block]:
    first = run[0]
    if first.level:
        yield Block(words.whole(first.text), first.level)
    elif first.is_code:
        yield Block("\n".join(_indented(line, first) for line in run))
    else:
        yield Block(words.whole(_unbroken(run)), is_tight=bool(_ENTRY.match(first.text)))


def _indented(line: Line, first: Line) -> str:
    width = (line.right - line.x) / max(len(line.text) - 1, 1) or line.size
    return " " * max(0, min(40, round((line.x - first.x) / max(width, 1)))) + line.text


def _unbroken(run: Sequence[Line]) -> str:
    lines = [line.text for line in run]
    for place, (above, below) in enumerate(pairwise(tuple(lines))):
        if above.endswith("-") and above[-2:-1].isalpha() and below[:1].islower():
            lines[place] = above[:-1] + HYPHEN
    return unwrapped(lines)


def _goes_on(last: Line, line: Line) -> bool:
    return not _ends_sentence(last.text) and line.text[:1].islower() and not last.is_code


def _ends_sentence(text: str) -> bool:
    return text.endswith(_SENTENCE_END)
