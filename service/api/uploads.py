"""Reads multipart forms: a title, a language, and course material as files or pasted text."""

from pathlib import PurePath
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from schemas.base import FilledText
from schemas.orders import Language, Title
from service.api import bodies
from service.errors import BadRequest, Invalid, UnsupportedMedia
from service.rules import kinds

Given = TypeVar("Given", bound=BaseModel)

FILES_MAX = 100
FIELDS_MAX = 2000
"""A form of 500 modules has up to three fields for each."""

TEXT_KB_MAX = 2048
NAME_CHARACTERS_MAX = 120
PASTED_NAME = "Pasted text.md"


class NewMaterial(BaseModel):
    """What a form must hold beside its files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Title
    language: Language = "en"
    text: FilledText | None = None


class Material(NewMaterial):
    files: tuple[tuple[str, bytes], ...]


class MoreMaterial(BaseModel):
    """What a form may hold beside more files for a quiz that is there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: FilledText | None = None


def is_multipart(request: Request) -> bool:
    return request.headers.get("content-type", "").lower().startswith("multipart/form-data")


async def material(request: Request, *, can_see: bool) -> Material:
    """A title and files. `can_see`: pictures can be read. Raises BadRequest, Invalid, UnsupportedMedia."""
    form = await fields(request)
    try:
        given = _given(form, NewMaterial)
        return Material(**given.model_dump(), files=await _files(form, given.text, can_see=can_see))
    finally:
        await form.close()


async def more_files(request: Request, *, can_see: bool) -> tuple[tuple[str, bytes], ...]:
    """Files for a quiz that is there. Raises BadRequest, Invalid, UnsupportedMedia."""
    form = await fields(request)
    try:
        return await _files(form, _given(form, MoreMaterial).text, can_see=can_see)
    finally:
        await form.close()


def _given(form: FormData, model: type[Given]) -> Given:
    sent = {name: value for name, value in form.items() if isinstance(value, str) and value.strip()}
    sent.pop("files", None)
    try:
        return model.model_validate(sent)
    except ValidationError as error:
        raise Invalid(bodies.problems(error)) from None


async def _files(form: FormData, text: str | None, *, can_see: bool) -> tuple[tuple[str, bytes], ...]:
    uploads = [upload for upload in form.getlist("files") if isinstance(upload, UploadFile) and upload.filename]
    found = [await _file(upload, can_see=can_see) for upload in uploads]
    if text:
        found.append((PASTED_NAME, text.encode()))
    if not found:
        raise Invalid.field("files", "give at least one file, or text")
    return tuple(found)


async def fields(request: Request) -> FormData:
    """Raises BadRequest for a body that is no form."""
    try:
        return await request.form(max_files=FILES_MAX, max_fields=FIELDS_MAX, max_part_size=TEXT_KB_MAX * 1024)
    except HTTPException as error:
        raise BadRequest(f"the form can't be read: {error.detail}") from None
    except ValueError as error:
        raise BadRequest(f"the form can't be read: {error}") from None


async def _file(upload: UploadFile, *, can_see: bool) -> tuple[str, bytes]:
    """Refused at once is what its first bytes tell; a worker looks at the rest."""
    name = display_name(upload.filename or "")
    suffix = PurePath(name).suffix.lower()
    if suffix not in kinds.SUFFIXES:
        raise UnsupportedMedia(f"{name} can't be read: use one of {', '.join(sorted(kinds.SUFFIXES))}")
    if suffix in kinds.IMAGES and not can_see:
        raise UnsupportedMedia(f"{name} can't be read: it is a picture, and the offline provider can't see")
    content = await upload.read()
    if not content.strip():
        raise Invalid.field("files", f"{name} is empty")
    lie = kinds.lie(suffix, content)
    if lie:
        raise UnsupportedMedia(f"{name} {lie}")
    if suffix in kinds.PLAIN | kinds.MARKDOWN:
        _require_text(name, content)
    return name, content


def display_name(filename: str) -> str:
    """A name for people, never a path: the last part, printable, bounded, with its suffix."""
    last = filename.replace("\\", "/").rsplit("/", 1)[-1]
    printable = "".join(character for character in last if character.isprintable()).strip() or "file"
    path = PurePath(printable)
    return path.stem[:NAME_CHARACTERS_MAX] + path.suffix[:20]


def _require_text(name: str, content: bytes) -> None:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise Invalid.field("files", f"{name} is not UTF-8 text") from None
    if "\x00" in text:
        raise Invalid.field("files", f"{name} holds the NUL character: it is no text")
