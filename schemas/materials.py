"""Uploaded course material."""

from uuid import UUID

from schemas.base import Frozen


class Material(Frozen):
    """A file as it was uploaded; `name` is for people and never a path."""

    id: UUID
    name: str
    content: bytes
