"""Uploaded course material."""

from uuid import UUID

from pydantic import Base64Bytes, Field

from schemas.base import Frozen
from schemas.states import MaterialState


class Material(Frozen):
    """A file as it was uploaded; `name` is for people and never a path."""

    id: UUID
    name: str
    content: bytes


class MaterialReport(Frozen):
    """What became of a file. `message`: why it could not be read, or what of it was left out."""

    id: UUID
    name: str
    status: MaterialState
    message: str | None
    page: int
    pages: int
    llm_calls: int = Field(description="to read pictures; 0 for what holds text")
    cost_usd: float


class ExtractedModule(Frozen):
    """One chapter or section of the material. `is_left_out`: nobody would ask about it."""

    name: str
    text: str
    is_left_out: bool = False


class PagePicture(Frozen):
    """A page that only someone who sees can read, as JPEG under a key of its file's own."""

    key: str
    content: Base64Bytes


class Reading(Frozen):
    """What a file yielded. While there are pictures it is not the end: their texts are missing."""

    modules: tuple[ExtractedModule, ...] = ()
    notes: tuple[str, ...] = ()
    pictures: tuple[PagePicture, ...] = ()
