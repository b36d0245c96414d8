"""The base of every contract: frozen, closed to unknown fields, and with text that any database can store."""

import unicodedata
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer


class Frozen(BaseModel):
    """A value that travels between layers. A change is a new value."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Body(BaseModel):
    """What a client sends: exact JSON types (no "5" for 5, no true for 1) and no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not contain the NUL character")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("must be valid Unicode without lone surrogates") from None
    return unicodedata.normalize("NFC", text)


INVISIBLE = {"Cc", "Cf", "Zs", "Zl", "Zp"}
"""Unicode categories of what nobody sees."""

DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that turn the text around them, also beyond the name they stand in."""


def _one_line(name: str) -> str:
    """A name is a line: control characters are spaces, marks of direction are left out."""
    plain = (" " if unicodedata.category(mark) == "Cc" else mark for mark in name if mark not in DIRECTIONS)
    return " ".join("".join(plain).split())


def _not_blank(text: str) -> str:
    if all(unicodedata.category(character) in INVISIBLE for character in text):
        raise ValueError("must not be empty")
    return text


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


StorableText = Annotated[str, AfterValidator(_storable)]
FilledText = Annotated[str, AfterValidator(_storable), AfterValidator(_not_blank)]
Name = Annotated[str, AfterValidator(_storable), AfterValidator(_one_line), AfterValidator(_not_blank)]
Moment = Annotated[datetime, PlainSerializer(_rfc3339, when_used="json")]
