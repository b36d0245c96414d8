"""What every reader of a file format yields: blocks of clean text, or a sentence about why the file can't be read."""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from service.errors import QuizmillError


class UnreadableMaterial(QuizmillError):
    """A file that yields no modules. The message names the file's trouble in words its owner can act on."""

    status = 422
    title = "Unreadable material"


class Block(NamedTuple):
    """A heading (level 1 to 6), or a paragraph, list entry, table row or piece of code (level 0)."""

    text: str
    level: int = 0
    is_tight: bool = False  # stands on the line below the block before it, without a blank line between


class Document(NamedTuple):
    """A file as it was read; its own title is empty where it names none."""

    title: str
    blocks: list[Block]


_LINE_END = re.compile("\r\n?|[\v\f\x85\u2028\u2029]")
_SPACE = re.compile("[\xa0\u2000-\u200a\u202f\u205f]")
# Control characters, lone surrogates, non-characters, and marks that only tell a printer where it may break a word.
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\ufeff\u2060\ud800-\udfff\ufffe\uffff]")


def cleaned(text: str) -> str:
    """NFC with LF line ends and ordinary spaces, and without what can't be seen or stored."""
    if text.isascii() and text.isprintable():
        return text
    levelled = _SPACE.sub(" ", _LINE_END.sub("\n", text))
    return unicodedata.normalize("NFC", _UNWANTED.sub("", levelled))


def unwrapped(lines: Sequence[str]) -> str:
    """The lines of one paragraph as one line. Scripts that write no spaces between words get none here either."""
    pieces: list[str] = []
    for line in lines:
        words = line.strip()
        if pieces and words and not (_is_unspaced(pieces[-1][-1]) and _is_unspaced(words[0])):
            pieces.append(" ")
        pieces.append(words)
    return "".join(pieces)


def _is_unspaced(character: str) -> bool:
    return "\u2e80" <= character <= "\u9fff" or "\uf900" <= character <= "\ufaff" or "\uff01" <= character <= "\uff60"
