"""Course material in, modules out: what kind of file it is, how its bytes are text, where its sections end. Pure."""

import codecs
import re
from pathlib import PureWindowsPath

from jobs.formats import hypertext, markdown, plain
from jobs.formats.base import Document, UnreadableMaterial, cleaned
from jobs.sections import ExtractedModule, modules_of

__all__ = ["SUFFIXES", "ExtractedModule", "UnreadableMaterial", "extract", "split_markdown"]

_MARKDOWN = frozenset({".md", ".markdown"})
_PLAIN = frozenset({".txt", ".text"})
_HTML = frozenset({".html", ".htm"})
SUFFIXES = _MARKDOWN | _PLAIN | _HTML

SHOWN_NAME_CHARACTERS_MAX = 100
CHARSET_BYTES_MAX = 4096
# Text has some form feeds at most; a binary file that happens to be valid UTF-8 has many such bytes.
CONTROL_SHARE_MAX = 0.01

_CHARSET = re.compile(
    rb"<(?:meta\b[^>]{0,300}?charset|\?xml\b[^>]{0,100}?encoding)\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.I
)
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Python knows codecs that are no character sets (rot13), and some that take very long (idna).
_CHARACTER_SETS = re.compile(r"(?:iso8859|cp125|koi8|mac|gb|big5|shift_jis|cp9|euc|iso2022|ascii|utf-8|tis).*")
_CONTROL = re.compile("[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def extract(filename: str, content: bytes) -> list[ExtractedModule]:
    """The modules of an uploaded file, at least one. Raises UnreadableMaterial with a sentence for its owner."""
    name = PureWindowsPath(filename).name  # understands both slashes
    stem, dot, ending = name.rpartition(".")
    shown = cleaned(name)[:SHOWN_NAME_CHARACTERS_MAX] or "the file"
    suffix = (dot + ending).lower()
    if suffix not in SUFFIXES:
        raise UnreadableMaterial(f"{shown} can't be read: Quizmill reads {', '.join(sorted(SUFFIXES))} files")
    text = _decoded(shown, content, is_html=suffix in _HTML)
    try:
        document = _read(text, suffix)
    except UnreadableMaterial as error:
        raise UnreadableMaterial(f"{shown} can't be read: {error}") from error
    modules = _modules(document, stem)
    if not modules:
        raise UnreadableMaterial(f"{shown} holds no text")
    return modules


def split_markdown(text: str, title: str) -> list[ExtractedModule]:
    """The modules of a Markdown text; none when it holds no text. `title` names it when it has no heading."""
    return _modules(markdown.read(cleaned(text)), title)


def _modules(document: Document, title: str) -> list[ExtractedModule]:
    if not any(character.isalnum() for block in document.blocks for character in block.text):
        return []
    return modules_of(document.blocks, document.title or title)


def _read(text: str, suffix: str) -> Document:
    if suffix in _HTML:
        return hypertext.read(text)
    if suffix in _MARKDOWN:
        return markdown.read(cleaned(text))
    return Document(title="", blocks=plain.read(cleaned(text)))


def _decoded(shown: str, content: bytes, *, is_html: bool) -> str:
    text = _html_text(shown, content) if is_html else _utf8_text(shown, content)
    if "\x00" in text or len(_CONTROL.findall(text)) > len(text) * CONTROL_SHARE_MAX:
        raise UnreadableMaterial(f"{shown} is not text: it holds binary data")
    return text


def _utf8_text(shown: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableMaterial(f"{shown} is not UTF-8 text; save it as UTF-8 and upload it again") from error


def _html_text(shown: str, content: bytes) -> str:
    for encoding in _encodings(content):
        try:
            return content.decode(encoding).removeprefix("\ufeff")
        except UnicodeDecodeError:
            continue
    raise UnreadableMaterial(f"{shown} is not UTF-8 text and declares no other encoding that fits; save it as UTF-8")


def _encodings(content: bytes) -> list[str]:
    """What the bytes can be, the likeliest first. Bytes that are valid UTF-8 are UTF-8, whatever is declared."""
    for mark, marked in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return [marked]
    charset = _CHARSET.search(content[:CHARSET_BYTES_MAX])
    declared = _known_encoding(charset[1].decode("ascii", "replace")) if charset else None
    if declared is None:
        return ["utf-8"]
    # Seven-bit encodings such as ISO-2022-JP are valid UTF-8 too, but with escape sequences for text.
    return [declared, "utf-8"] if content.isascii() else ["utf-8", declared]


def _known_encoding(label: str) -> str | None:
    try:
        name = codecs.lookup(label).name
    except (LookupError, ValueError):
        return None
    if not _CHARACTER_SETS.fullmatch(name):
        return None
    # What the web calls Latin-1 or ASCII is Windows-1252.
    return "cp1252" if name in {"iso8859-1", "ascii"} else name
