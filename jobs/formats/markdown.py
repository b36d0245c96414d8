"""Markdown: its blocks as plain text that a student can read, formulas and code as they are written."""

import html
import re
from collections.abc import Iterable, Sequence

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from jobs.formats import hypertext
from jobs.formats.base import Block, Document, unwrapped

NESTING_MAX = 100
# The inline parser needs quadratic time for some texts; a paragraph beyond this is left as it is written.
INLINE_CHARACTERS_MAX = 10_000

_FRONT_MATTER = re.compile(r"---[ \t]*\n((?:[\w-]+:.*\n|[ \t#-].*\n|\n){1,200})(?:---|\.\.\.)[ \t]*(?:\n|\Z)")
_TITLE = re.compile(r"^title:[ \t]*[\"']?(.*?)[\"']?[ \t]*$", re.MULTILINE)
_ATTRIBUTES = re.compile(r"\s*\{[#.][^{}]*\}$")
_FORMULA = re.compile(
    r"\$\$.{1,2000}?\$\$|\$(?![\s$])[^$]{0,400}(?<![\s\\])\$(?!\d)|\\\(.{1,400}?\\\)|\\\[.{1,2000}?\\\]", re.DOTALL
)
_HARD_BREAK = "\v"


def read(text: str) -> Document:
    """The title of the front matter, if there is one, and the blocks."""
    front = _FRONT_MATTER.match(text)
    title = _TITLE.search(front[1]) if front else None
    body = text[front.end() :] if front else text
    return Document(title=title[1] if title else "", blocks=_Writer().write(body))


def _keep_formula(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - the signature of a rule
    """Keep Markdown's hands off the asterisks, underscores and backslashes of a formula."""
    match = _FORMULA.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    if not silent:
        state.push("text", "", 0).content = match[0]
    state.pos = match.end()
    return True


# Inline text is parsed paragraph by paragraph (_inline), so that a long one can be left out.
_PARSER = MarkdownIt("commonmark", {"maxNesting": NESTING_MAX}).enable(["table", "strikethrough"]).disable("inline")
_PARSER.inline.ruler.before("escape", "formula", _keep_formula)


class _Writer:
    """Turns the flat sequence of block tokens into blocks."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._environment: dict[str, object] = {}
        self._level = 0
        self._lists = 0
        self._row: list[str] | None = None
        # For the next block: what it begins with, whether it is the first entry or row, where it stands.
        self._marker = ""
        self._is_first = True
        self._is_tight = False

    def write(self, text: str) -> list[Block]:
        for token in _PARSER.parse(text, self._environment):
            self._take(token)
        return self._blocks

    def _take(self, token: Token) -> None:
        match token.type:
            case "inline":
                self._add(_inline(token.content, self._environment))
            case "fence" | "code_block":
                self._add(token.content)
            case "html_block":
                self._blocks += hypertext.read(token.content).blocks
            case "heading_open":
                self._level = int(token.tag[1:])
            case "heading_close":
                self._level = 0
            case _:
                self._take_structure(token)

    def _take_structure(self, token: Token) -> None:
        match token.type:
            case "bullet_list_open" | "ordered_list_open":
                self._is_first = self._is_first if self._lists else True
                self._lists += 1
            case "bullet_list_close" | "ordered_list_close":
                self._lists -= 1
                self._marker, self._is_tight = "", False
            case "list_item_open":
                number = f"{token.info}." if token.info else "-"
                self._marker = "  " * (self._lists - 1) + number + " "
                self._is_tight, self._is_first = not self._is_first, False
            case "table_open":
                self._is_first = True
            case "tr_open":
                self._row = []
            case "tr_close":
                cells, self._row = self._row or [], None
                self._is_tight, self._is_first = not self._is_first, False
                self._add(" | ".join(cells))
            case _:
                pass

    def _add(self, text: str) -> None:
        if self._row is not None:
            self._row.append(text)
        elif self._level:
            self._blocks.append(Block(_ATTRIBUTES.sub("", text), self._level))
        else:
            self._blocks.append(Block(self._marker + text, is_tight=self._is_tight))
            self._marker, self._is_tight = "", False


def _inline(content: str, environment: dict[str, object]) -> str:
    if len(content) > INLINE_CHARACTERS_MAX:
        return unwrapped(content.split("\n"))
    tokens: list[Token] = []
    _PARSER.inline.parse(content, _PARSER, environment, tokens)
    if any(token.type == "html_inline" for token in tokens):
        page = hypertext.read("".join(_as_html(tokens)))
        return " ".join(block.text for block in page.blocks)
    return unwrapped("".join(map(_as_text, tokens)).split("\n")).replace(_HARD_BREAK, "\n")


def _as_text(token: Token) -> str:
    match token.type:
        case "softbreak":
            return "\n"
        case "hardbreak":
            return _HARD_BREAK
        case "image":
            return "".join(map(_as_text, token.children or ()))
        case _:
            return token.content


def _as_html(tokens: Sequence[Token]) -> Iterable[str]:
    for token in tokens:
        if token.type == "html_inline":
            yield token.content
        elif token.type == "hardbreak":
            yield "<br>"
        else:
            yield html.escape(_as_text(token))
