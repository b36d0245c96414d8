"""A page as an HTML parser tells it, tag by tag: becomes the blocks that a reader sees, without the furniture."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from jobs.formats.base import Block
from jobs.formats.inline import LINE_BREAK, collapsed, subscript, superscript

# A form with less text than this between its fields is a search or login form, not the wrapping of a page;
# a <main> with less is not what the page is about.
PROSE_CHARACTERS_MIN = 200

_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_TABLES = frozenset({"table", "caption", "thead", "tbody", "tfoot", "tr", "td", "th"})
_LISTS = frozenset({"ul", "ol", "menu", "dir", "li", "dl", "dt", "dd"})
_BLOCKS = frozenset({"address", "article", "blockquote", "body", "center", "details", "dialog", "div", "fieldset"})
_BLOCKS |= {"figcaption", "figure", "footer", "form", "header", "hgroup", "hr", "html", "legend", "main", "p", "pre"}
_BLOCKS |= {"section", "summary"} | _HEADINGS | _TABLES | _LISTS
_DROPPED = frozenset({"script", "style", "noscript", "template", "nav", "aside", "svg", "canvas", "iframe", "object"})
_DROPPED |= {"video", "audio", "button", "select", "textarea", "datalist", "annotation", "annotation-xml"}
_PAGE_FURNITURE = frozenset({"header", "footer"})
_ARTICLES = frozenset({"article", "main", "section"})

# Pages older than <nav>, and the generators of manuals, say it in a class.
_NAVIGATION = re.compile("(?:doc|mw-)?nav(?:bar|box|igation|header|footer)?|breadcrumbs?")
_PERMALINK = re.compile(r"\s*¶$|\s+#$")


class _Row(NamedTuple):
    """A table row: the paragraphs of each cell."""

    cells: list[list[str]]


class Page:
    """Takes the parser's events in the order of the page. Every start has its end, the parser sees to that."""

    def __init__(self) -> None:
        self.title = ""
        self.blocks: list[Block] = []
        self.depth = self.ends = 0
        self._buffer: list[str] = []
        self._dropped = self._articles = self._pre = self._level = 0
        self._is_title = False
        self._raised: list[int] = []  # where in the buffer each open <sup> or <sub> began
        self._lists: list[int | None] = []  # the next number of each open list
        self._main_depth = 0
        self._mains: list[slice] = []  # the blocks of each <main>
        self._forms: list[int] = []  # where in the blocks each open form began
        self._rows: list[_Row | None] = []  # None: the row lays out a page, its cells are blocks
        # For the next block: what it begins with, whether it is the first entry or row, where it stands.
        self._marker = ""
        self._is_first = True
        self._is_tight = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self._dropped or self._is_furniture(tag, attributes):
            self._dropped += 1
            return
        if tag in _BLOCKS:
            self._flush()
        if not self._main_depth and (tag == "main" or attributes.get("role") == "main"):
            self._open_main()
        self._articles += tag in _ARTICLES
        if tag in _HEADINGS:
            self._level = int(tag[1])
        opening = _OPENINGS.get(tag)
        if opening:
            opening(self, attributes)

    def end(self, tag: str) -> None:
        self.depth -= 1
        self.ends += 1
        if self._dropped:
            self._dropped -= 1
            return
        if tag in _BLOCKS:
            self._flush()
        self._articles -= tag in _ARTICLES
        if tag in _HEADINGS:
            self._level = 0
        closing = _CLOSINGS.get(tag)
        if closing:
            closing(self)
        if self.depth < self._main_depth:
            self._close_main()

    def data(self, text: str) -> None:
        if self._is_title:
            self.title += text
        elif not self._dropped:
            self._buffer.append(text.replace(LINE_BREAK, " "))

    def close(self) -> None:
        """The page is over. What stands beside a page's one <main> is not its text."""
        self._flush()
        if len(self._mains) == 1 and _length(self.blocks[self._mains[0]]) >= PROSE_CHARACTERS_MIN:
            self.blocks = self.blocks[self._mains[0]]

    def _open_main(self) -> None:
        self._flush()
        self._break_row()
        self._main_depth = self.depth
        self._mains.append(slice(len(self.blocks), None))

    def _close_main(self) -> None:
        self._flush()
        self._main_depth = 0
        self._mains[-1] = slice(self._mains[-1].start, len(self.blocks))

    def _is_furniture(self, tag: str, attributes: dict[str, str]) -> bool:
        if tag in _DROPPED:
            return True
        if tag in _PAGE_FURNITURE:
            return self._articles == 0
        return bool(attributes) and tag not in {"html", "body"} and _is_hidden_or_navigation(attributes)

    def _flush(self) -> None:
        """End the paragraph that has gathered in the buffer."""
        raw = "".join(self._buffer)
        self._buffer.clear()
        text = raw.replace(LINE_BREAK, "\n").strip("\r\n") if self._pre else collapsed(raw)
        if not text.strip():
            return
        if self._level:
            self._break_row()
            self._add(_PERMALINK.sub("", text), self._level)
        elif self._rows and self._rows[-1] and self._rows[-1].cells:
            self._rows[-1].cells[-1].append(text)
        else:
            self._add(self._marker + text)

    def _add(self, text: str, level: int = 0) -> None:
        self.blocks.append(Block(text, level, self._is_tight and not level))
        self._marker, self._is_tight = "", False

    def open_title(self, _: dict[str, str]) -> None:
        self._is_title = self.title == ""

    def close_title(self) -> None:
        self._is_title = False

    def open_pre(self, _: dict[str, str]) -> None:
        self._break_row()
        self._pre += 1

    def close_pre(self) -> None:
        self._pre -= 1

    def break_line(self, _: dict[str, str]) -> None:
        self._buffer.append(LINE_BREAK)

    def open_raised(self, _: dict[str, str]) -> None:
        self._raised.append(len(self._buffer))

    def close_raised(self) -> None:
        self._shift(superscript)

    def close_lowered(self) -> None:
        self._shift(subscript)

    def _shift(self, shifted: Callable[[str, str], str]) -> None:
        start = self._raised.pop()
        text = "".join(self._buffer[start:])
        before = self._buffer[start - 1] if 0 < start <= len(self._buffer) else ""
        self._buffer[start:] = [shifted(text, before)]

    def open_form(self, _: dict[str, str]) -> None:
        self._forms.append(len(self.blocks))

    def close_form(self) -> None:
        start = self._forms.pop()
        if _length(self.blocks[start:]) < PROSE_CHARACTERS_MIN:
            del self.blocks[start:]

    def open_list(self, attributes: dict[str, str]) -> None:
        self._break_row()
        if not self._lists:
            self._is_first = True
        start = attributes.get("start", "1")
        self._lists.append(int(start) if start.isascii() and start.isdigit() and len(start) < 6 else 1)

    def open_bullets(self, attributes: dict[str, str]) -> None:
        self.open_list(attributes)
        self._lists[-1] = None

    def close_list(self) -> None:
        self._lists.pop()
        self._marker, self._is_tight = "", False

    def open_entry(self, _: dict[str, str]) -> None:
        number = self._lists[-1] if self._lists else None
        if number is not None:
            self._lists[-1] = number + 1
        # Deeper than any list that is meant: the indent alone would take the memory.
        indent = "  " * min(len(self._lists) - 1, 20)
        self._marker = f"{indent}- " if number is None else f"{indent}{number}. "
        self._is_tight, self._is_first = not self._is_first, False

    def close_entry(self) -> None:
        self._marker = ""

    def open_definition(self, _: dict[str, str]) -> None:
        self._is_tight = True

    def open_table(self, _: dict[str, str]) -> None:
        self._break_row()
        self._is_first = True

    def open_row(self, _: dict[str, str]) -> None:
        self._rows.append(_Row([]))

    def open_cell(self, _: dict[str, str]) -> None:
        if self._rows and self._rows[-1]:
            self._rows[-1].cells.append([])

    def close_row(self) -> None:
        row = self._rows.pop()
        if row is None:
            return
        if any(len(cell) > 1 for cell in row.cells):
            self._spill(row)
        elif any(row.cells):
            self._is_tight, self._is_first = not self._is_first, False
            self._add(" | ".join(cell[0] if cell else "" for cell in row.cells))

    def _break_row(self) -> None:
        """A heading, a list, code or a table in a cell: this table lays out a page."""
        if self._rows and self._rows[-1]:
            row, self._rows[-1] = self._rows[-1], None
            self._spill(row)

    def _spill(self, row: _Row) -> None:
        self.blocks += [Block(text) for cell in row.cells for text in cell]


def _is_hidden_or_navigation(attributes: dict[str, str]) -> bool:
    if "hidden" in attributes or attributes.get("aria-hidden") == "true" or attributes.get("role") == "navigation":
        return True
    return any(map(_NAVIGATION.fullmatch, attributes.get("class", "").split()))


def _length(blocks: Sequence[Block]) -> int:
    return sum(len(block.text) for block in blocks)


_OPENINGS: dict[str, Callable[[Page, dict[str, str]], None]] = {
    "title": Page.open_title,
    "pre": Page.open_pre,
    "br": Page.break_line,
    "sup": Page.open_raised,
    "sub": Page.open_raised,
    "form": Page.open_form,
    "ol": Page.open_list,
    "ul": Page.open_bullets,
    "menu": Page.open_bullets,
    "dir": Page.open_bullets,
    "li": Page.open_entry,
    "dd": Page.open_definition,
    "table": Page.open_table,
    "tr": Page.open_row,
    "td": Page.open_cell,
    "th": Page.open_cell,
}
_CLOSINGS: dict[str, Callable[[Page], None]] = {
    "title": Page.close_title,
    "pre": Page.close_pre,
    "sup": Page.close_raised,
    "sub": Page.close_lowered,
    "form": Page.close_form,
    "ol": Page.close_list,
    "ul": Page.close_list,
    "menu": Page.close_list,
    "dir": Page.close_list,
    "li": Page.close_entry,
    "tr": Page.close_row,
}
