"""What every reader of a file format yields: blocks of clean text, or a sentence about why the file can't be read."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from service.errors import QuizmillError


class UnreadableMaterial(QuizmillError):
    """A file that yields no modules. The message names the file's trouble in words its owner can act on."""

    status = 422
    title = "Unreadable material"


class NoText(UnreadableMaterial):
    """A file that is sound, but has nothing to ask about."""


SECTION_CHARACTERS_MIN = 200


class Block(NamedTuple):
    """A heading (level 1 to 6), or a paragraph, list entry, table row or piece of code (level 0)."""

    text: str
    level: int = 0
    is_tight: bool = False  # stands on the line below the block before it, without a blank line between


class Picture(NamedTuple):
    """A page that holds a picture instead of text, as JPEG under a key of the file's own."""

    key: str
    content: bytes


class Eyes(NamedTuple):
    """Whether pictures can be looked at, and what was seen: Markdown by key; None while nobody has looked."""

    can_see: bool = False
    seen: Mapping[str, str] | None = None

    @property
    def are_wanted(self) -> bool:
        """Pictures are to come along, to be looked at."""
        return self.can_see and self.seen is None

    def within(self, path: str) -> "Eyes":
        """Those for a file of an archive."""
        if self.seen is None:
            return self
        prefix = f"{path}#"
        return Eyes(self.can_see, {k.removeprefix(prefix): v for k, v in self.seen.items() if k.startswith(prefix)})


BLIND = Eyes()


class Document(NamedTuple):
    """A file as it was read; its own title is empty where it names none.

    A section with less than `section_characters_min` is no module of its own. `notes` are sentences about what was
    left out. `pictures` are the pages that only someone who sees can read.
    """

    title: str
    blocks: list[Block]
    section_characters_min: int = SECTION_CHARACTERS_MIN
    notes: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()


Tell = Callable[[int, int], None]
"""Told now and then which page of how many is being read."""


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
