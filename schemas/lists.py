"""A page of a list."""

from typing import Generic, TypeVar

from schemas.base import Frozen

Entry = TypeVar("Entry")


class Page(Frozen, Generic[Entry]):
    """Up to `limit` entries; `next_cursor` asks for what follows, null = nothing does."""

    items: tuple[Entry, ...]
    next_cursor: str | None = None
