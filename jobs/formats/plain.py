"""Plain text: its headings by the habits of people who type them, its hard-wrapped lines as paragraphs."""

import re
from collections.abc import Iterator, Sequence

from jobs.formats.base import Block, unwrapped

HEADING_CHARACTERS_MAX = 100
# A longer line was not wrapped by hand: it is a paragraph of its own.
WRAPPED_CHARACTERS_MAX = 120

_UNDERLINE = re.compile(r"([=\-~^*#])\1{2,}")
_LEVEL_OF_UNDERLINE = {"=": 1, "#": 1, "*": 1, "-": 2, "~": 3, "^": 3}
_CHAPTER = re.compile(
    r"(?:chapter|part|unit|lecture|lesson|appendix|kapitel|teil|vorlesung|lektion|anhang|luku|osa|luento|liite)"
    r"\s+(?:\d{1,3}|[ivxlc]{1,7}|[a-z])(?:[.:)]?\s+\S.*|[.:)\s\u2013-].*)?",
    re.IGNORECASE,
)
_BARE_CHAPTER = re.compile(r"\w+\s+\w{1,7}[.:]?")
_NUMBERED = re.compile(r"(\d{1,3}(?:\.\d{1,3}){0,4})[.)]?\s+[^\W\d_].*")
_ENTRY = re.compile(r"\s*(?:[-*+•‣◦]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s+\S")
_INDENTED = re.compile(r"(?: {4}|\t)")
_COLUMNS = re.compile(r"\S(?:\t| {3,}|\s\|\s)\S")


def read(text: str) -> list[Block]:
    """The blocks of a text with LF line ends."""
    return [block for lines in _paragraphs(text) for block in _blocks(lines)]


def _paragraphs(text: str) -> Iterator[list[str]]:
    lines: list[str] = []
    for line in text.split("\n"):
        if line.strip():
            lines.append(line.rstrip())
        elif lines:
            yield lines
            lines = []
    if lines:
        yield lines


def _blocks(lines: list[str]) -> Iterator[Block]:
    start = 0
    while underlined := _underlined(lines[start : start + 3]):
        heading, length = underlined
        yield heading
        start += length
    if start < len(lines):
        yield from _body(lines[start:])


def _body(lines: list[str]) -> Iterator[Block]:
    heading = _heading(lines)
    if heading:
        yield heading
    elif all(map(_INDENTED.match, lines)) or _is_table(lines):
        yield Block("\n".join(lines))
    else:
        yield from _prose(lines)


def _underlined(lines: list[str]) -> tuple[Block, int] | None:
    """A heading with a line of ===, --- or the like below it (and perhaps above), and how many lines it takes."""
    has_overline = len(lines) > 2 and _UNDERLINE.fullmatch(lines[0]) is not None and lines[0] == lines[2]
    title, *below = lines[has_overline:] or [""]
    if not below or not _is_short(title) or _UNDERLINE.fullmatch(title):
        return None
    underline = _UNDERLINE.fullmatch(below[0])
    if underline is None:
        return None
    return Block(title.strip(), _LEVEL_OF_UNDERLINE[underline[1]]), 2 + has_overline


def _heading(lines: Sequence[str]) -> Block | None:
    """A heading that stands alone between blank lines: Chapter 3, 1.2 Title, A TITLE IN CAPITALS."""
    first = lines[0].strip()
    if not all(map(_is_short, lines)):
        return None
    if _CHAPTER.fullmatch(first):
        # "CHAPTER I." often has its title on a line of its own.
        is_whole = len(lines) == 1 or (len(lines) == 2 and _BARE_CHAPTER.fullmatch(first))
        return Block(unwrapped(lines), 1) if is_whole else None
    if len(lines) > 1 or first.endswith((".", ",", ";", ":", "!", "?")):
        return None
    numbered = _NUMBERED.fullmatch(first)
    if numbered:
        return Block(first, min(6, 2 + numbered[1].count(".")))
    letters = sum(map(str.isalpha, first))
    return Block(first, 2) if first.isupper() and letters > 2 and letters * 2 > len(first) else None


def _is_short(line: str) -> bool:
    return len(line.strip()) <= HEADING_CHARACTERS_MAX


def _is_table(lines: Sequence[str]) -> bool:
    return len(lines) > 1 and sum(_COLUMNS.search(line) is not None for line in lines) * 2 > len(lines)


def _prose(lines: Sequence[str]) -> Iterator[Block]:
    """One block for each run of wrapped lines; entries of a list and unwrapped lines begin one of their own."""
    run: list[str] = []
    is_tight = False
    for line in lines:
        if run and (_ENTRY.match(line) or len(run[-1]) > WRAPPED_CHARACTERS_MAX):
            yield Block(_entry(run), is_tight=is_tight)
            run, is_tight = [], True
        run.append(line)
    yield Block(_entry(run), is_tight=is_tight)


def _entry(lines: Sequence[str]) -> str:
    """An entry keeps its indent, which shows what it belongs to."""
    indent = lines[0][: -len(lines[0].lstrip())] if _ENTRY.match(lines[0]) else ""
    return indent + unwrapped(lines)
