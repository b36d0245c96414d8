"""A zip of course material: the files in it that can be read, in the order a person would expect."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from jobs.formats.base import UnreadableMaterial
from jobs.formats.package import Package
from service.rules.kinds import SUFFIXES

NESTED = frozenset({".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".jar"})

_NUMBER = re.compile(r"(\d{1,9})", re.ASCII)


def files(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Each readable file as (path in the zip, content). Raises UnreadableMaterial, also for a zip in the zip."""
    package = Package(content)
    names = sorted(filter(_is_material, package.names), key=_natural)
    for name in names:
        if _suffix(name) in NESTED:
            raise UnreadableMaterial(f"it holds another archive, {PurePosixPath(name).name}: upload that by itself")
    if not names:
        raise UnreadableMaterial(f"it holds no file that can be read ({', '.join(sorted(SUFFIXES - NESTED))})")
    for name in names:
        yield name, package.read(name)


def _is_material(name: str) -> bool:
    """Hidden files and what macOS adds are none."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    is_hidden = any(part.startswith((".", "__MACOSX")) and part != ".." for part in parts)
    return _suffix(name) in SUFFIXES | NESTED and not is_hidden


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _natural(name: str) -> tuple[list[str | int], ...]:
    """Lecture 9 comes before Lecture 10, and each folder stays together."""
    folders = name.replace("\\", "/").casefold().split("/")
    return tuple(
        [int(part) if place % 2 else part for place, part in enumerate(_NUMBER.split(folder))] for folder in folders
    )
