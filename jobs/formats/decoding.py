"""From bytes to text: which encoding a text file or a web page is in."""

import codecs
import re

from jobs.formats.base import UnreadableMaterial

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


def plain_text(content: bytes) -> str:
    """Of a text file, which must be UTF-8. Raises UnreadableMaterial."""
    try:
        return _without_binary(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UnreadableMaterial("it is not UTF-8 text; save it as UTF-8 and upload it again") from error


def html_text(content: bytes) -> str:
    """Of a web page, which may declare another encoding. Raises UnreadableMaterial."""
    for encoding in _encodings(content):
        try:
            return _without_binary(content.decode(encoding).removeprefix("\ufeff"))
        except UnicodeDecodeError:
            continue
    raise UnreadableMaterial("it is not UTF-8 text and declares no other encoding that fits; save it as UTF-8")


def _without_binary(text: str) -> str:
    if "\x00" in text or len(_CONTROL.findall(text)) > len(text) * CONTROL_SHARE_MAX:
        raise UnreadableMaterial("it is not text: it holds binary data")
    return text


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
