"""Course material in, modules out: what kind of file it is, and where its sections end. Pure.

It brings the readers of all formats along: only the child process that reads files imports it (jobs/reader_child.py).
"""

from pathlib import PureWindowsPath
from typing import NamedTuple

from jobs.formats import archive, decoding, epub, hypertext, markdown, plain
from jobs.formats.base import BLIND, Document, Eyes, NoText, Picture, Tell, UnreadableMaterial, cleaned
from jobs.sections import SECTION_CHARACTERS_MAX, modules_of, with_unique_names
from schemas.materials import ExtractedModule
from service.rules import kinds
from service.rules.kinds import SUFFIXES

__all__ = ["SUFFIXES", "ExtractedModule", "Reading", "UnreadableMaterial", "extract", "read", "split_markdown"]

SHOWN_NAME_CHARACTERS_MAX = 100
TEXT_CHARACTERS_MAX = 20_000_000
REFUSALS_SHOWN_MAX = 5
CHAPTERS_MIN = 10
"""In an archive of more files than this each is a module, however many headings it has."""


class Reading(NamedTuple):
    """What a file yields: modules, sentences about what was left out, and pages that only someone who sees can read.

    With pictures it is not the end: `read` wants to be called again, with their texts.
    """

    modules: list[ExtractedModule]
    notes: list[str]
    pictures: list[Picture]


def silent(_page: int, _pages: int) -> None:
    """Tells nobody."""


def extract(filename: str, content: bytes) -> list[ExtractedModule]:
    """The modules of an uploaded file, at least one. Raises UnreadableMaterial with a sentence for its owner."""
    return read(filename, content).modules


def read(filename: str, content: bytes, *, tell: Tell = silent, eyes: Eyes = BLIND) -> Reading:
    """Raises UnreadableMaterial with a sentence for the file's owner."""
    name = PureWindowsPath(filename).name  # understands both slashes
    try:
        reading = _read(name, content, tell, eyes)
    except UnreadableMaterial as error:
        shown = cleaned(name)[:SHOWN_NAME_CHARACTERS_MAX] or "the file"
        raise type(error)(f"{shown} can't be read: {error}") from error
    if sum(len(module.text) for module in reading.modules) > TEXT_CHARACTERS_MAX:
        raise UnreadableMaterial(f"{name} holds more than {TEXT_CHARACTERS_MAX // 1_000_000} million characters")
    return reading


def split_markdown(text: str, title: str) -> list[ExtractedModule]:
    """The modules of a Markdown text; none when it holds no text. `title` names it when it has no heading."""
    return _modules(markdown.read(cleaned(text)), title, 0)


def _read(name: str, content: bytes, tell: Tell, eyes: Eyes, *, section_characters_min: int = 0) -> Reading:
    stem, dot, ending = name.rpartition(".")
    suffix = (dot + ending).lower()
    if suffix not in SUFFIXES:
        raise UnreadableMaterial(f"Quizmill reads {', '.join(sorted(SUFFIXES))} files")
    lie = kinds.lie(suffix, content)
    if lie:
        raise UnreadableMaterial(f"it {lie}")
    if suffix == ".zip":
        return _read_archive(content, tell, eyes)
    document = _document(suffix, content, tell, eyes)
    modules = _modules(document, stem, section_characters_min)
    reading = Reading(modules, list(document.notes), list(document.pictures))
    if not reading.modules and not reading.pictures:
        raise NoText("it holds no text")
    return reading


def _read_archive(content: bytes, tell: Tell, eyes: Eyes) -> Reading:
    """What can't be read in it is noted, as long as anything can."""
    found = list(archive.files(content))
    section_characters_min = SECTION_CHARACTERS_MAX if len(found) > CHAPTERS_MIN else 0
    whole = Reading([], [], [])
    refusals: list[str] = []
    for number, (path, inner) in enumerate(found, start=1):
        tell(number, len(found))
        name = PureWindowsPath(path).name
        try:
            reading = _read(name, inner, silent, eyes.within(path), section_characters_min=section_characters_min)
        except UnreadableMaterial as error:
            refusals.append(f"{cleaned(name)[:SHOWN_NAME_CHARACTERS_MAX]}: {error}")
            continue
        whole.modules.extend(reading.modules)
        whole.notes.extend(f"{name}: {note}" for note in reading.notes)
        whole.pictures.extend(one._replace(key=f"{path}#{one.key}") for one in reading.pictures)
    if not whole.modules and not whole.pictures:
        raise UnreadableMaterial("none of its files can be read. " + "; ".join(refusals[:REFUSALS_SHOWN_MAX]))
    return whole._replace(modules=with_unique_names(whole.modules), notes=[*whole.notes, *refusals])


def _document(suffix: str, content: bytes, tell: Tell, eyes: Eyes) -> Document:
    # Each file has a process of its own: the larger readers come in only where they are needed.
    match suffix:
        case ".pdf":
            from jobs.formats.pdf import document as pdf  # noqa: PLC0415

            return pdf.read(content, tell, eyes)
        case ".docx":
            from jobs.formats import word  # noqa: PLC0415

            return word.read(content)
        case ".pptx":
            from jobs.formats import slides  # noqa: PLC0415

            return slides.read(content, tell)
        case ".epub":
            return epub.read(content, tell)
        case suffix if suffix in kinds.IMAGES:
            return _seen(content, eyes)
        case _:
            return _text_document(suffix, content)


def _text_document(suffix: str, content: bytes) -> Document:
    if suffix in kinds.HTML:
        return hypertext.read(decoding.html_text(content))
    text = cleaned(decoding.plain_text(content))
    return markdown.read(text) if suffix in kinds.MARKDOWN else Document(title="", blocks=plain.read(text))


def _seen(content: bytes, eyes: Eyes) -> Document:
    if eyes.are_wanted:
        from jobs.formats import picture  # noqa: PLC0415 # as above

        return Document(title="", blocks=[], pictures=(picture.read(content, "1"),))
    if eyes.seen is None:
        raise NoText("it is a picture, and the offline provider can't see; upload it as text")
    return markdown.read(cleaned(eyes.seen.get("1", "")))


def _modules(document: Document, title: str, section_characters_min: int) -> list[ExtractedModule]:
    if not any(character.isalnum() for block in document.blocks for character in block.text):
        return []
    smallest = max(document.section_characters_min, section_characters_min)
    found = modules_of(document.blocks, document.title or title, section_characters_min=smallest)
    if all(module.is_left_out for module in found):
        return [module.model_copy(update={"is_left_out": False}) for module in found]
    return found
