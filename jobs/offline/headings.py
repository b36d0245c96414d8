"""The headings in a module: marked ones as in Markdown, and short lines that stand alone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from jobs.offline.blocks import HEADING, Line, LineKind, lines_of
from jobs.offline.sentences import clean

MARK = re.compile(r"\s{0,3}#{1,6}\s+|\s+#+\s*$")
WIDTH_MAX = 80
WORDS_MAX = 10
LAST_MARKS = ".,;:!?-\u2013"


@dataclass(frozen=True, slots=True)
class Heading:
    """What it heads begins at `end`."""

    title: str
    end: int


def headings_in(text: str) -> Iterator[Heading]:
    lines = list(lines_of(text))
    before: Line | None = None
    for line, after in zip(lines, [*lines[1:], None], strict=False):
        title = _title(text, before, line, after)
        if title:
            yield Heading(title, line.end)
        before = line


def _title(text: str, before: Line | None, line: Line, after: Line | None) -> str:
    """Empty for a line that is no heading."""
    written = text[line.start : line.end]
    if line.kind is LineKind.NOISE and HEADING.match(written):
        return clean(MARK.sub("", written.strip()))
    stands_apart = before is None or before.kind in {LineKind.BLANK, LineKind.UNDERLINE}
    if line.kind is not LineKind.TEXT or not stands_apart or after is None:
        return ""
    is_underlined = after.kind is LineKind.UNDERLINE
    return clean(written) if is_underlined or (after.kind is LineKind.BLANK and _reads_as_title(written)) else ""


def _reads_as_title(written: str) -> bool:
    bare = written.strip()
    words = bare.split()
    return (
        len(bare) <= WIDTH_MAX
        and len(words) <= WORDS_MAX
        and bare[-1] not in LAST_MARKS
        and not bare[0].islower()
        and any(character.isalpha() for character in bare)
    )
