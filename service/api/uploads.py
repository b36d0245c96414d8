"""Reads multipart forms: a title, a language, and course material as files or pasted text."""

from pathlib import PurePath

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from schemas.base import FilledText
from schemas.orders import Language, Title
from service.api import bodies
from service.errors import BadRequest, Invalid, UnsupportedMedia

FILES_MAX = 100
FIELDS_MAX = 1000
"""An order names up to 500 modules, a field each."""

TEXT_KB_MAX = 2048
NAME_CHARACTERS_MAX = 120
SUFFIXES = frozenset({".md", ".markdown", ".txt", ".text", ".html", ".htm"})
PASTED_NAME = "Pasted text.md"


class NewMaterial(BaseModel):
    """What a form must hold beside its files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Title
    language: Language = "en"
    text: FilledText | None = None


class Material(NewMaterial):
    files: tuple[tuple[str, bytes], ...]


def is_multipart(request: Request) -> bool:
    return request.headers.get("content-type", "").lower().startswith("multipart/form-data")


async def material(request: Request) -> Material:
    """Raises BadRequest, Invalid, UnsupportedMedia."""
    form = await fields(request)
    try:
        return await _material(form)
    finally:
        await form.close()


async def _material(form: FormData) -> Material:
    sent = {name: value for name, value in form.items() if isinstance(value, str) and value.strip()}
    sent.pop("files", None)
    try:
        given = NewMaterial.model_validate(sent)
    except ValidationError as error:
        raise Invalid(bodies.problems(error)) from None
    found = [
        await _file(upload) for upload in form.getlist("files") if isinstance(upload, UploadFile) and upload.filename
    ]
    if given.text:
        found.append((PASTED_NAME, given.text.encode()))
    if not found:
        raise Invalid.field("files", "give at least one file, or text")
    return Material(**given.model_dump(), files=tuple(found))


async def fields(request: Request) -> FormData:
    """Raises BadRequest for a body that is no form."""
    try:
        return await request.form(max_files=FILES_MAX, max_fields=FIELDS_MAX, max_part_size=TEXT_KB_MAX * 1024)
    except HTTPException as error:
        raise BadRequest(f"the form can't be read: {error.detail}") from None
    except ValueError as error:
        raise BadRequest(f"the form can't be read: {error}") from None


async def _file(upload: UploadFile) -> tuple[str, bytes]:
    name = display_name(upload.filename or "")
    suffix = PurePath(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise UnsupportedMedia(f"{name} can't be read: use one of {', '.join(sorted(SUFFIXES))}")
    content = await upload.read()
    if not content.strip():
        raise Invalid.field("files", f"{name} is empty")
    if suffix not in {".html", ".htm"}:
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
