"""The running prose of a module: its paragraphs and list entries, without headings, code and tables."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

LINE = re.compile(r"[^\n]*\n?")
FENCE = re.compile(r"\s{0,3}(?:```|~~~)")
HEADING = re.compile(r"\s{0,3}#{1,6}\s")
UNDERLINE = re.compile(r"\s*(?:={2,}|-{2,}|\*{3,}|_{3,})\s*$")
LIST_MARKER = re.compile(r"\s*(?:[-*+•‣◦▪\u2013]|\(?[0-9]{1,3}[.)]|\(?[a-zA-Z][.)])\s+")
INDENTED = re.compile(r"(?: {4}|\t)")
HEADING_WIDTH = 60


class LineKind(Enum):
    BLANK = "blank"
    FENCE = "fence"
    UNDERLINE = "underline"
    NOISE = "heading or table row"
    LIST = "list entry"
    INDENTED = "indented"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Block:
    """`text[start:end]` is one paragraph, or one list entry without its marker."""

    start: int
    end: int
    is_list_entry: bool


@dataclass(frozen=True, slots=True)
class Line:
    start: int
    end: int
    kind: LineKind


def prose(text: str) -> Iterator[Block]:
    """The blocks of `text` in order."""
    lines: list[Line] = []
    for line in lines_of(text):
        if line.kind is LineKind.UNDERLINE:
            lines = []
        elif line.kind is LineKind.TEXT or (line.kind is LineKind.INDENTED and lines):
            lines.append(line)
        else:
            yield from _blocks(text, lines)
            lines = [line] if line.kind is LineKind.LIST else []
    yield from _blocks(text, lines)


def lines_of(text: str) -> Iterator[Line]:
    """The lines of `text` that are no code, with their line ends."""
    is_fenced = False
    for match in LINE.finditer(text):
        kind = _kind_of(match.group())
        if kind is LineKind.FENCE:
            is_fenced = not is_fenced
        if not is_fenced and match.group():
            yield Line(match.start(), match.end(), kind)


def _kind_of(line: str) -> LineKind:
    if not line.strip():
        return LineKind.BLANK
    for pattern, kind in (
        (FENCE, LineKind.FENCE),
        (HEADING, LineKind.NOISE),
        (UNDERLINE, LineKind.UNDERLINE),
        (LIST_MARKER, LineKind.LIST),
        (INDENTED, LineKind.INDENTED),
    ):
        if pattern.match(line):
            return kind
    return LineKind.NOISE if line.count("|") > 1 or line.count("\t") > 1 else LineKind.TEXT


def _blocks(text: str, lines: list[Line]) -> Iterator[Block]:
    if not lines:
        return
    is_list_entry = lines[0].kind is LineKind.LIST
    widest = max(line.end - line.start for line in lines)
    start = lines[0].start
    for line, following in pairwise(lines):
        if not is_list_entry and _is_heading(
            text[line.start : line.end], text[following.start : following.end], widest
        ):
            if start < line.start:
                yield Block(start, line.start, is_list_entry=False)
            start = following.start
    if is_list_entry:
        marker = LIST_MARKER.match(text, start)
        start = marker.end() if marker else start
    yield Block(start, lines[-1].end, is_list_entry)


def _is_heading(line: str, following: str, widest: int) -> bool:
    """A line that ends early without a mark, before one that starts anew: text taken from a PDF has such headings."""
    bare = line.strip()
    return (
        len(bare) < min(HEADING_WIDTH, widest * 0.7)
        and bare[-1] not in ".,;:!?-\u2013"
        and not following.lstrip()[:1].islower()
    )
