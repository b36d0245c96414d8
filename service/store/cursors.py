"""Where a page of a list ends: the sort key of its last row, as an opaque text."""

import base64
import binascii
from datetime import UTC, datetime
from uuid import UUID

from service.errors import BadRequest


def encode(at: datetime, row_id: UUID) -> str:
    return _pack(f"{at.timestamp()!r}|{row_id}")


def decode(cursor: str) -> tuple[datetime, UUID]:
    """Raises BadRequest for anything that `encode` did not make."""
    at, _, row_id = _unpack(cursor).partition("|")
    try:
        return datetime.fromtimestamp(float(at), UTC), UUID(row_id)
    except (ValueError, OverflowError, OSError):
        raise _forged() from None


def encode_places(*places: int) -> str:
    return _pack("|".join(map(str, places)))


def decode_places(cursor: str, count: int) -> list[int]:
    """Raises BadRequest for anything that `encode_places` did not make with `count` numbers."""
    parts = _unpack(cursor).split("|")
    if len(parts) != count or not all(part.isascii() and part.isdigit() and len(part) < 18 for part in parts):
        raise _forged()
    return [int(part) for part in parts]


def _pack(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _unpack(cursor: str) -> str:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (ValueError, binascii.Error):
        raise _forged() from None


def _forged() -> BadRequest:
    return BadRequest("cursor is not one that this list gave; start again without it")
